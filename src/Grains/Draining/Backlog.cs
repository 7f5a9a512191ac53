using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Grains.Draining;

/// <summary>Counts in Redis what the cluster has accepted and not ended.</summary>
internal sealed class Backlog(IConnectionMultiplexer redis, RedisKeys keys, Queueing.RequestQueue queue)
{
    private IDatabase Database => redis.GetDatabase();

    /// <summary>Requests that wait or run.</summary>
    public async Task<int> RequestsAsync()
    {
        var requests = 0L;
        foreach (var model in (await Database.HashKeysAsync(keys.Models)).Select(static model => (string)model!))
        {
            // In this order: what is claimed in between is counted twice and not missed.
            requests += await queue.LengthAsync(model);
            foreach (var batcher in await Database.SetMembersAsync(keys.Batchers(model)))
            {
                requests += await Database.ListLengthAsync(keys.InFlight(model, (string)batcher!));
            }
        }

        return (int)requests;
    }

    /// <summary>Webhooks that have not been delivered or given up.</summary>
    /// <param name="dueBefore">Counts those only that are due by then; <see langword="null"/> for all. One that is being delivered is due later.</param>
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
