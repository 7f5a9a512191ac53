namespace Detection.Grains.Tests.Storage;

/// <summary>A machine's clock that stands still, and is set by steps that its time stamps know nothing of.</summary>
/// <param name="begin">What it shows first.</param>
internal sealed class SteppedTime(DateTimeOffset begin) : TimeProvider
{
    private DateTimeOffset _now = begin;
    private long _passed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _passed;

    /// <summary>Time passes.</summary>
    public void Pass(double seconds)
    {
        _passed += (long)(seconds * TimeSpan.TicksPerSecond);
        Step(seconds);
    }

    /// <summary>Somebody sets the clock.</summary>
    public void Step(double seconds) => _now += TimeSpan.FromSeconds(seconds);
}
