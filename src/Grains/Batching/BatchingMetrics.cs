using System.Diagnostics.Metrics;
using Detection.Contracts.Cluster;
using Detection.Contracts.Requests;
using Detection.Grains.Placement;
using Detection.Grains.Queueing;

namespace Detection.Grains.Batching;

/// <summary>Metrics of the pictures that batchers process: the meter <c>Detection.Batching</c>, and the silo's <see cref="RecentWork"/>.</summary>
internal sealed class BatchingMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string Meter = "Detection.Batching";

    private const int ShownDigits = 8;

    private static readonly InstrumentAdvice<double> WaitClasses =
        new() { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };

    private static readonly InstrumentAdvice<double> StageClasses =
        new() { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] };

    private static readonly InstrumentAdvice<int> SizeClasses = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 24, 32, 64, 128] };

    private static readonly string[] Outcomes = ["done", "failed", "expired"];

    private readonly RecentWork _recent;
    private readonly Histogram<double> _wait;
    private readonly Histogram<double> _stages;
    private readonly Histogram<int> _sizes;
    private readonly Counter<long> _pictures;
    private readonly Counter<long> _returned;
    private readonly Counter<long> _poison;
    private readonly Counter<long> _wrong;

    public BatchingMetrics(IMeterFactory meters, RecentWork recent)
    {
        _recent = recent;
        var meter = meters.Create(Meter);
        _wait = meter.CreateHistogram(
            "detection.queue.wait", "s", "Time of a picture from entering the queue to being claimed by a batcher.", null, WaitClasses);
        _stages = meter.CreateHistogram(
            "detection.stage.duration", "s", "Time of a picture in a stage: decode, preprocess, inference or postprocess.", null, StageClasses);
        _sizes = meter.CreateHistogram("detection.batch.size", "{picture}", "Pictures in a batch.", null, SizeClasses);
        _pictures = meter.CreateCounter<long>("detection.pictures", "{picture}", "Pictures that batchers settled, by outcome.");
        _returned = meter.CreateCounter<long>(
            "detection.queue.returned", "{picture}", "Items returned to the queue because the lease of their batcher expired.");
        _wrong = meter.CreateCounter<long>(
            "detection.pictures.wrong", "{picture}", "Reads from Redis that returned the bytes of another picture; the picture was read again.");
        _poison = meter.CreateCounter<long>(
            "detection.queue.given_up", "{picture}", "Items that became dead letters because the leases of their batchers expired too often.");
    }

    /// <summary>A batcher starts. Rare events are shown as 0 from then on, so that the first one is visible as an increase.</summary>
    public void Started(in BatcherKey batcher)
    {
        var (model, device) = Labels(batcher);
        _returned.Add(0, model);
        _poison.Add(0, model);
        _wrong.Add(0, model, device);
        foreach (var outcome in Outcomes)
        {
            _pictures.Add(0, model, device, new("outcome", outcome));
        }
    }

    public void Claimed(in BatcherKey batcher, IReadOnlyList<QueuedItem> items, DateTimeOffset at)
    {
        var (model, device) = Labels(batcher);
        _sizes.Record(items.Count, model, device);
        if (_wait.Enabled)
        {
            foreach (var item in items)
            {
                _wait.Record(Math.Max(0, (at - item.EnqueuedAt).TotalSeconds), model, device);
            }
        }
    }

    public void WrongPictures(in BatcherKey batcher, int count)
    {
        var (model, device) = Labels(batcher);
        _wrong.Add(count, model, device);
    }

    public void BatchEnded(int pictures) => _recent.BatchEnded(pictures);

    public void Ended(in BatcherKey batcher, QueuedItem item, RequestSnapshot end, DateTimeOffset at)
    {
        var (model, device) = Labels(batcher);
        var done = end.Status == RequestStatus.Done;
        _pictures.Add(1, model, device, new("outcome", Outcomes[done ? 0 : end.Status == RequestStatus.Expired ? 2 : 1]));
        _recent.Ended(at - item.EnqueuedAt, !done);
        if (end.Result is { Timings: var timings })
        {
            Stage("decode", timings.Decode);
            Stage("preprocess", timings.Preprocess);
            Stage("inference", timings.Inference);
            Stage("postprocess", timings.Postprocess);
        }
        else
        {
            Failed(batcher.Model, batcher.Device, item.Key, end, at);
        }

        void Stage(string stage, double milliseconds) => _stages.Record(milliseconds / 1000, model, device, new("stage", stage));
    }

    public void Reclaimed(string model, Reclaimed reclaimed, DateTimeOffset at)
    {
        var label = new KeyValuePair<string, object?>("model", model);
        _returned.Add(reclaimed.Returned, label);
        _poison.Add(reclaimed.Poison.Count, label);
        foreach (var key in reclaimed.Poison)
        {
            Failed(model, "", key, RequestFailures.Poison, at);
        }
    }

    private void Failed(string model, string device, RequestKey key, RequestSnapshot end, DateTimeOffset at) => _recent.Failed(new FailedPicture(
        at,
        key.ImageKey[..ShownDigits],
        model,
        device,
        end.Failure?.Reason.ToString() ?? nameof(RequestStatus.Expired),
        end.Failure?.Message ?? "The deadline passed while the picture was queued."));

    private static (KeyValuePair<string, object?> Model, KeyValuePair<string, object?> Device) Labels(in BatcherKey batcher) =>
        (new("model", batcher.Model), new("device", batcher.Device));
}
