using System.Diagnostics.Metrics;
using System.Text.Json;
using Detection.Contracts.Cluster;
using Detection.Grains.Membership;

namespace Detection.Grains.Reporting;

/// <summary>
/// The meter <c>Detection.Cluster</c>: the silo's last report, and the queues of its models at that time. Reading the metrics does not slow the
/// processing of pictures.
/// </summary>
internal sealed class SiloMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string Meter = "Detection.Cluster";

    private static readonly (DeviceHealth Health, string Name)[] HealthStates =
        [.. Enum.GetValues<DeviceHealth>().Select(health => (health, JsonNamingPolicy.CamelCase.ConvertName(health.ToString())))];

    private volatile IReadOnlyList<BatcherReport> _batchers = [];
    private volatile IReadOnlyList<QueueReport> _queues = [];

    public SiloMetrics(IMeterFactory meters, RedisReach reach)
    {
        var meter = meters.Create(Meter);
        meter.CreateObservableGauge(
            "detection.queue.length", () => Queues(static queue => (long)queue.Length), "{request}", "Requests that wait, over the whole cluster.");
        meter.CreateObservableGauge("detection.queue.capacity", () => Queues(static queue => (long)queue.Capacity), "{request}", "Maximum number of requests that may wait.");
        meter.CreateObservableGauge("detection.queue.oldest.age", () => Queues(static queue => queue.OldestSeconds), "s", "How long the oldest request has waited.");
        meter.CreateObservableGauge(
            "detection.queue.dead_letters", () => Queues(static queue => (long)queue.DeadLetters), "{request}", "Dead letters.");
        meter.CreateObservableGauge(
            "detection.batcher.in_flight", () => Batchers(static batcher => (long)batcher.InFlight), "{picture}", "Pictures that a batcher has claimed and not settled.");
        meter.CreateObservableGauge(
            "detection.batcher.stuck", () => Batchers(static batcher => batcher.State == BatcherState.Stuck ? 1L : 0), null, "1 while a batcher has claimed pictures and completes none.");
        meter.CreateObservableGauge("detection.redis.away", () => reach.AwayFor.TotalSeconds, "s", "Time since the silo last reached Redis; 0 while it reaches it.");
        meter.CreateObservableGauge(
            "detection.device.health", Healths, null, "1 for the current health of a device with a model, 0 for the others.");
        meter.CreateObservableGauge(
            "detection.batcher.rate", () => Batchers(static batcher => batcher.Rate), "{picture}/s", "Measured rate of a batcher, in pictures per second.");
        meter.CreateObservableCounter(
            "detection.device.busy", () => Batchers(static batcher => batcher.BusySeconds), "s", "Time during which a device held at least one picture of a model.");
    }

    /// <summary>Sets the report and the queues that are read from now on.</summary>
    public void Show(SiloReport report, IReadOnlyList<QueueReport> queues)
    {
        _batchers = report.Batchers;
        _queues = queues;
    }

    private IEnumerable<Measurement<int>> Healths() =>
        _batchers.SelectMany(batcher => HealthStates.Select(state => new Measurement<int>(
            batcher.Health == state.Health ? 1 : 0, new("model", batcher.Model), new("device", batcher.Device), new("state", state.Name))));

    private IEnumerable<Measurement<T>> Queues<T>(Func<QueueReport, T> value)
        where T : struct =>
        _queues.Select(queue => new Measurement<T>(value(queue), new KeyValuePair<string, object?>("model", queue.Model)));

    private IEnumerable<Measurement<T>> Batchers<T>(Func<BatcherReport, T> value)
        where T : struct =>
        _batchers.Select(batcher => new Measurement<T>(
            value(batcher), new KeyValuePair<string, object?>("model", batcher.Model), new KeyValuePair<string, object?>("device", batcher.Device)));
}
