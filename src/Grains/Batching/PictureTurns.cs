using Detection.Grains.Queueing;
using Detection.Inference.Pictures;
using StackExchange.Redis;

namespace Detection.Grains.Batching;

/// <summary>
/// Takes turns from callers whose pictures cost more than a common one. Fairness is in what pictures cost, and when they are claimed
/// their cost is not known: costly ones beyond what a batch may take are deferred, so that other callers have their turns first.
/// </summary>
/// <param name="queue">The queue of turns.</param>
/// <param name="model">The model.</param>
/// <param name="batch">The batch: where no caller has a name, all pictures stand in one list, none is charged and none deferred.</param>
internal sealed class PictureTurns(BatcherQueue queue, string model, IReadOnlyList<QueuedItem> batch)
{
    /// <summary>Most turns for one picture: what costs more than this is refused by default, and not decoded.</summary>
    private const int MaxTurns = 1000;

    /// <summary>Pictures that cost more than this are deferred when a batch has had enough: photos do not.</summary>
    private const int MinCostlyTurns = 32;

    /// <summary>What the costly pictures of a batch may cost together; one is always taken. Some half a second of all processors.</summary>
    private static readonly int MaxCostlyTurns = 128 * Environment.ProcessorCount;

    private readonly Lock _lock = new();
    private readonly bool _hasNames = batch.Any(static item => item.Caller is not null);
    private int _costly;

    /// <summary>
    /// A picture has come. If it is begun its caller is charged what it costs beyond the turn that it had; nothing waits for that, and
    /// what is lost with a connection is not charged.
    /// </summary>
    /// <returns>Whether it is begun; if not it is to be deferred.</returns>
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
