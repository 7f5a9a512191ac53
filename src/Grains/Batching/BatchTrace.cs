using System.Diagnostics;
using Detection.Contracts.Requests;
using Detection.Grains.Placement;
using Detection.Grains.Queueing;

namespace Detection.Grains.Batching;

/// <summary>
/// The spans of a batch. Each picture has two spans in the trace of its request: its time in the queue, and its time with the batcher. The batch
/// itself is a span in the trace of the first traced picture, with a link to each picture; each picture links back to it.
/// </summary>
internal sealed class BatchTrace : IDisposable
{
    /// <summary>Name of the activity source.</summary>
    public const string SourceName = "Detection.Batching";

    private static readonly ActivitySource Source = new(SourceName);

    private readonly Activity? _batch;
    private readonly Dictionary<QueuedItem, Activity> _pictures;

    private BatchTrace(Activity? batch, Dictionary<QueuedItem, Activity> pictures) => (_batch, _pictures) = (batch, pictures);

    /// <summary>Starts the spans of the traced items; <see langword="null"/> when none is traced.</summary>
    public static BatchTrace? Begin(in BatcherKey batcher, IReadOnlyList<QueuedItem> items, DateTimeOffset claimedAt)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var traced = new List<(QueuedItem Item, ActivityContext Asked)>(items.Count);
        foreach (var item in items)
        {
            if (ActivityContext.TryParse(item.TraceParent, null, isRemote: true, out var asked) && asked.TraceFlags.HasFlag(ActivityTraceFlags.Recorded))
            {
                traced.Add((item, asked));
            }
        }

        if (traced.Count == 0)
        {
            return null;
        }

        var batch = Source.StartActivity(
            "batch",
            ActivityKind.Internal,
            traced[0].Asked,
            [new("detection.model", batcher.Model), new("detection.device", batcher.Device), new("detection.batch.size", items.Count)],
            traced.Select(static picture => new ActivityLink(picture.Asked)),
            claimedAt);
        ActivityLink[]? toBatch = batch is null ? null : [new ActivityLink(batch.Context)];
        var pictures = new Dictionary<QueuedItem, Activity>(traced.Count, ReferenceEqualityComparer.Instance);
        foreach (var (item, asked) in traced)
        {
            using (var wait = Source.StartActivity("queue", ActivityKind.Consumer, asked, startTime: item.EnqueuedAt))
            {
                wait?.SetEndTime(claimedAt.UtcDateTime);
            }

            if (Source.StartActivity("picture", ActivityKind.Internal, asked, null, toBatch, claimedAt) is { } picture)
            {
                picture.SetTag("detection.image_key", item.Key.ImageKey);
                picture.SetTag("detection.model", batcher.Model);
                picture.SetTag("detection.device", batcher.Device);
                picture.SetTag("detection.attempts", item.Attempts);
                pictures[item] = picture;
            }
        }

        // Spans are looked up by their items. Nothing in this batch may become a child of the last span.
        Activity.Current = null;
        return new BatchTrace(batch, pictures);
    }

    /// <summary>Makes the following message to the request a part of the picture's trace.</summary>
    public void Enter(QueuedItem item) => Activity.Current = _pictures.GetValueOrDefault(item);

    /// <summary>Ends a picture's span.</summary>
    public void Ended(QueuedItem item, RequestSnapshot end)
    {
        Activity.Current = null;
        if (!_pictures.Remove(item, out var picture))
        {
            return;
        }

        if (end.Result is { Timings: var timings })
        {
            picture.SetTag("detection.decode.seconds", timings.Decode / 1000);
            picture.SetTag("detection.preprocess.seconds", timings.Preprocess / 1000);
            picture.SetTag("detection.inference.seconds", timings.Inference / 1000);
            picture.SetTag("detection.postprocess.seconds", timings.Postprocess / 1000);
        }
        else
        {
            picture.SetStatus(ActivityStatusCode.Error, end.Failure?.Message ?? end.Status.ToString());
        }

        picture.Dispose();
    }

    /// <summary>Ends the batch; pictures that have not ended return to the queue.</summary>
    public void Dispose()
    {
        foreach (var picture in _pictures.Values)
        {
            picture.Dispose();
        }

        _batch?.Dispose();
        Activity.Current = null;
    }
}
