using Detection.Grains.Queueing;
using Detection.Inference.Pictures;
using StackExchange.Redis;

namespace Detection.Grains.Batching;

/// <summary>
/// Takes turns from callers whose pictures cost more than a common one. Fairness is in what pictures cost, and when they are claimed
/// nobody has looked at them.
/// </summary>
/// <param name="queue">The queue of turns.</param>
/// <param name="model">The model.</param>
/// <param name="batch">The batch: where no caller has a name, none is charged.</param>
internal sealed class PictureTurns(RequestQueue queue, string model, IReadOnlyList<QueuedItem> batch)
{
    /// <summary>Most turns for one picture: what costs more than this is refused by default, and not decoded.</summary>
    private const int Most = 1000;

    private readonly bool _hasNames = batch.Any(static item => item.Caller is not null);

    /// <summary>
    /// A picture has come: its caller is charged what it costs beyond the turn that it had. Nothing waits for it; what is lost with a
    /// connection is not charged.
    /// </summary>
    public void Take(QueuedItem item, Lease<byte>? picture)
    {
        if (_hasNames && picture is not null && PictureCost.Of(picture.Span) is > 1 and var cost)
        {
            queue.ChargeAsync(model, new Dictionary<string, int> { [item.Caller ?? ""] = Math.Min(cost, Most) - 1 }).Ignore();
        }
    }
}
