using System.Diagnostics.Metrics;
using Detection.Grains.Placement;

namespace Detection.Grains.Health;

/// <summary>What is counted of sick devices: the meter <c>Detection.Health</c>. Their state now is a gauge of the silo's report.</summary>
internal sealed class HealthMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string Meter = "Detection.Health";

    private readonly Counter<long> _errors;

    public HealthMetrics(IMeterFactory meters) => _errors = meters.Create(Meter).CreateCounter<long>(
        "detection.device.errors", "{run}", "Runs that failed on a device and not because of their pictures, and test pictures that came out wrong.");

    /// <summary>Counts errors; 0 shows the counter before the first.</summary>
    public void Errors(in BatcherKey batcher, int count) => _errors.Add(count, new("model", batcher.Model), new("device", batcher.Device));
}
