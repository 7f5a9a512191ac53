using Detection.Grains.Queueing;
using Detection.Inference.Pictures;
using StackExchange.Redis;

namespace Detection.Grains.Batching;

/// <summary>
/// Charges turns to callers whose pictures cost more than an ordinary one. Callers share the cost of pictures fairly, but the cost is not known when
/// pictures are claimed. So costly pictures beyond the limit of a batch are deferred, and other callers have their turns first.
/// </summary>
/// <param name="queue">The queue of turns.</param>
/// <param name="model">The model.</param>
/// <param name="batch">The batch. When no caller has a name, all pictures are in one list, and none is charged or deferred.</param>
internal sealed class PictureTurns(BatcherQueue queue, string model, IReadOnlyList<QueuedItem> batch)
{
    /// <summary>Maximum number of turns for one picture. By default, pictures that cost more are refused and not decoded.</summary>
    private const int MaxTurns = 1000;

    /// <summary>Pictures above this cost are deferred when a batch has reached its limit. Photos are below it.</summary>
    private const int MinCostlyTurns = 32;

    /// <summary>Maximum total cost of the costly pictures of a batch; one is always accepted. About half a second of all processors.</summary>
    private static readonly int MaxCostlyTurns = 128 * Environment.ProcessorCount;

    private readonly Lock _lock = new();
    private readonly bool _hasNames = batch.Any(static item => item.Caller is not null);
    private int _costly;

    /// <summary>
    /// A picture has arrived. If it is started, its caller is charged the cost beyond the turn that it had. Nothing waits for that, and a charge that
    /// is lost with a connection is not repeated.
    /// </summary>
    /// <returns>Whether the picture starts; if not, it must be deferred.</returns>
    public bool Take(QueuedItem item, Lease<byte>? picture)
    {
        if (!_hasNames || picture is null)
        {
            return true;
        }

        var cost = Math.Min(PictureCost.Of(picture.Span), MaxTurns);
        if (cost > MinCostlyTurns && !IsWithin(cost))
        {
            return false;
        }

        if (cost > 1)
        {
            queue.ChargeAsync(model, new Dictionary<string, int> { [item.Caller ?? ""] = cost - 1 }).Ignore();
        }

        return true;
    }

    private bool IsWithin(int cost)
    {
        lock (_lock)
        {
            if (_costly > 0 && _costly + cost > MaxCostlyTurns)
            {
                return false;
            }

            _costly += cost;
            return true;
        }
    }
}
