namespace Detection.Contracts.Storage;

/// <summary>
/// The time by which all processes of a cluster go: that of its Redis. Clocks of machines differ, and an instant that one process writes
/// and another reads (a deadline, the time of a report) would be early or late by the difference. Timers and time stamps are those of the
/// process. Until Redis has told its time for the first time it is the time of the process.
/// </summary>
/// <param name="local">The clock of the process: a <see cref="SteadyClock"/>, as a step of it would show until Redis tells its time again.</param>
public sealed class ClusterClock(TimeProvider local) : TimeProvider
{
    private long _offset;

    /// <inheritdoc/>
    public override long TimestampFrequency => local.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => local.LocalTimeZone;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => local.GetUtcNow() + Offset;

    /// <inheritdoc/>
    public override long GetTimestamp() => local.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        local.CreateTimer(callback, state, dueTime, period);

    /// <summary>An instant of the cluster as the clock of this process has it.</summary>
    public DateTimeOffset ToLocal(DateTimeOffset instant) => instant - Offset;

    /// <summary>Redis has told its time.</summary>
    /// <param name="redis">What it said.</param>
    /// <param name="asked">Time stamp of the question: the answer is of some time between it and now.</param>
    public void Set(DateTimeOffset redis, long asked)
    {
        var offset = redis + (local.GetElapsedTime(asked) / 2) - local.GetUtcNow();
        Interlocked.Exchange(ref _offset, offset.Ticks);
    }

    private TimeSpan Offset => TimeSpan.FromTicks(Interlocked.Read(ref _offset));
}
