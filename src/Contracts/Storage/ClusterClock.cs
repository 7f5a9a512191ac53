namespace Detection.Contracts.Storage;

/// <summary>
/// The time of the cluster's Redis, which all processes of the cluster use. Clocks of machines differ: a time that one process writes and another
/// reads (a deadline, the time of a report) would be early or late by the difference. Timers and time stamps are those of the process. Until the time
/// of Redis has been read once, this is the time of the process.
/// </summary>
/// <param name="local">
/// The clock of the process. Use a <see cref="SteadyClock"/>: a step of the machine's clock would shift this clock until the time of Redis is read
/// again.
/// </param>
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

    /// <summary>Converts a time of the cluster to the clock of this process.</summary>
    public DateTimeOffset ToLocal(DateTimeOffset instant) => instant - Offset;

    /// <summary>Sets the time of Redis.</summary>
    /// <param name="redis">The time that Redis returned.</param>
    /// <param name="asked">Time stamp of the query: the returned time is between it and now.</param>
    public void Set(DateTimeOffset redis, long asked)
    {
        var offset = redis + (local.GetElapsedTime(asked) / 2) - local.GetUtcNow();
        Interlocked.Exchange(ref _offset, offset.Ticks);
    }

    private TimeSpan Offset => TimeSpan.FromTicks(Interlocked.Read(ref _offset));
}
