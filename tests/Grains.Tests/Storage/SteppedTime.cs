namespace Detection.Grains.Tests.Storage;

/// <summary>A machine's clock that does not advance by itself. Steps change its time, but not its time stamps.</summary>
/// <param name="begin">Its first time.</param>
internal sealed class SteppedTime(DateTimeOffset begin) : TimeProvider
{
    private DateTimeOffset _now = begin;
    private long _passed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _passed;

    /// <summary>Lets time pass.</summary>
    public void Pass(double seconds)
    {
        _passed += (long)(seconds * TimeSpan.TicksPerSecond);
        Step(seconds);
    }

    /// <summary>Changes the clock.</summary>
    public void Step(double seconds) => _now += TimeSpan.FromSeconds(seconds);
}
