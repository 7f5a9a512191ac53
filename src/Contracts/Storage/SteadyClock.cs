namespace Detection.Contracts.Storage;

/// <summary>
/// A clock that takes the machine's time once and then runs evenly. The machine's clock may be set back or forward at any time. A duration, deadline
/// or age that is measured with it would be wrong by that step, and Orleans activates no grain after a step back.
/// </summary>
/// <param name="machine">The machine's clock.</param>
public sealed class SteadyClock(TimeProvider machine) : TimeProvider
{
    private readonly DateTimeOffset _begin = machine.GetUtcNow();
    private readonly long _began = machine.GetTimestamp();

    /// <summary>The clock of this process. Use only one: the times of two such clocks cannot be compared.</summary>
    public static SteadyClock OfProcess { get; } = new(System);

    /// <inheritdoc/>
    public override long TimestampFrequency => machine.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _begin + machine.GetElapsedTime(_began);

    /// <inheritdoc/>
    public override long GetTimestamp() => machine.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);
}
