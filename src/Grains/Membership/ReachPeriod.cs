namespace Detection.Grains.Membership;

/// <summary>A time without a gap in which every check of Redis had the same outcome.</summary>
/// <param name="Reached">The outcome.</param>
/// <param name="Since">Timestamp of its beginning.</param>
/// <param name="Until">Timestamp of the last check.</param>
/// <param name="Time">The clock of the timestamps.</param>
internal sealed record ReachPeriod(bool Reached, long Since, long Until, TimeProvider Time)
{
    /// <summary>
    /// Longest time between two checks. After a longer one (the process was suspended, or got no processor time) the state in between is unknown.
    /// </summary>
    public static readonly TimeSpan MaxGap = TimeSpan.FromSeconds(10);

    /// <summary>Its duration; zero once the last check is too long ago.</summary>
    public TimeSpan Length => IsOver(Time.GetTimestamp()) ? TimeSpan.Zero : Time.GetElapsedTime(Since, Until);

    /// <summary>The period after one more check, which has just ended.</summary>
    /// <param name="last">The period before; <see langword="null"/> at the first check.</param>
    /// <param name="reached">Whether Redis answered.</param>
    /// <param name="asked">Timestamp of the start of the check.</param>
    /// <param name="time">The clock.</param>
    public static ReachPeriod After(ReachPeriod? last, bool reached, long asked, TimeProvider time)
    {
        var now = time.GetTimestamp();
        if (last is not null && last.Reached == reached && !last.IsOver(now))
        {
            return last with { Until = now };
        }

        // An answer proves that Redis is reachable now. A check without an answer proves that it was unreachable since the check started.
        var began = !reached && time.GetElapsedTime(asked, now) <= MaxGap ? asked : now;
        return new ReachPeriod(reached, began, now, time);
    }

    private bool IsOver(long now) => Time.GetElapsedTime(Until, now) > MaxGap;
}
