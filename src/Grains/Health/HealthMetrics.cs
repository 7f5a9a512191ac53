using System.Diagnostics.Metrics;
using Detection.Grains.Placement;

namespace Detection.Grains.Health;

/// <summary>Counters of device errors: the meter <c>Detection.Health</c>. The current health is a gauge of the silo's report.</summary>
internal sealed class HealthMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string Meter = "Detection.Health";

    private readonly Counter<long> _errors;

    public HealthMetrics(IMeterFactory meters) => _errors = meters.Create(Meter).CreateCounter<long>(
        "detection.device.errors", "{run}", "Runs that failed because of a device, including failed test pictures.");

    /// <summary>Counts errors. A count of 0 makes the counter visible before the first error.</summary>
    public void Errors(in BatcherKey batcher, int count) => _errors.Add(count, new("model", batcher.Model), new("device", batcher.Device));
}
