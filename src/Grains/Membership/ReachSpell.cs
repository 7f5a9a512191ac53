namespace Detection.Grains.Membership;

/// <summary>A time without a gap in which every look at Redis had the same outcome.</summary>
/// <param name="Reached">The outcome.</param>
/// <param name="Since">Timestamp of its beginning.</param>
/// <param name="Until">Timestamp of the last look.</param>
/// <param name="Time">The clock of the timestamps.</param>
internal sealed record ReachSpell(bool Reached, long Since, long Until, TimeProvider Time)
{
    /// <summary>
    /// Longest time from one look to the next. After a longer one (the process was suspended, or had no processor) it is not known what
    /// was between.
    /// </summary>
    public static readonly TimeSpan MaxGap = TimeSpan.FromSeconds(10);

    /// <summary>How long it has lasted; zero once it has not been looked at for too long.</summary>
    public TimeSpan Length => IsOver(Time.GetTimestamp()) ? TimeSpan.Zero : Time.GetElapsedTime(Since, Until);

    /// <summary>The spell after one more look, which has just ended.</summary>
    /// <param name="last">The one before; <see langword="null"/> at the first look.</param>
    /// <param name="reached">Whether Redis answered.</param>
    /// <param name="asked">Timestamp of the question.</param>
    /// <param name="time">The clock.</param>
    public static ReachSpell After(ReachSpell? last, bool reached, long asked, TimeProvider time)
    {
        var now = time.GetTimestamp();
        if (last is not null && last.Reached == reached && !last.IsOver(now))
        {
            return last with { Until = now };
        }

        // An answer is known to have come now; a question without one was in vain from its beginning on.
        var began = !reached && time.GetElapsedTime(asked, now) <= MaxGap ? asked : now;
        return new ReachSpell(reached, began, now, time);
    }

    private bool IsOver(long now) => Time.GetElapsedTime(Until, now) > MaxGap;
}
