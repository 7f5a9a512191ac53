using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Grains.Draining;

/// <summary>Counts in Redis the accepted work of the cluster that has not ended.</summary>
internal sealed class Backlog(IConnectionMultiplexer redis, RedisKeys keys, Queueing.RequestQueue queue)
{
    private IDatabase Database => redis.GetDatabase();

    /// <summary>Requests that wait or are processed.</summary>
    public async Task<int> RequestsAsync()
    {
        var requests = 0L;
        foreach (var model in (await Database.HashKeysAsync(keys.Models)).Select(static model => (string)model!))
        {
            // In this order: a request that is claimed in between is counted twice, but not missed.
            requests += await queue.LengthAsync(model);
            foreach (var batcher in await Database.SetMembersAsync(keys.Batchers(model)))
            {
                requests += await Database.ListLengthAsync(keys.InFlight(model, (string)batcher!));
            }
        }

        return (int)requests;
    }

    /// <summary>Webhooks that are neither delivered nor abandoned.</summary>
    /// <param name="dueBefore">
    /// Counts only those that are due by then; <see langword="null"/> for all. A webhook that is being delivered is due later.
    /// </param>
    public async Task<int> WebhooksAsync(DateTimeOffset? dueBefore = null)
    {
        var latest = dueBefore is { } due ? due.ToUnixTimeMilliseconds() : double.PositiveInfinity;
        var webhooks = await Database.SortedSetLengthAsync(keys.WebhooksDue(), max: latest);
        foreach (var caller in await Database.SetMembersAsync(keys.WebhookCallers))
        {
            webhooks += await Database.SortedSetLengthAsync(keys.WebhooksDue((string)caller!), max: latest);
        }

        return (int)webhooks;
    }
}
