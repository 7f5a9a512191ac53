using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Queueing;

/// <summary>
/// The operations of requests on the queues in Redis. Each model has one list, and one more for each named caller; callers are served in turn
/// (layout: <see cref="RedisKeys"/>). Each operation is one script and so atomic: until it is settled, an accepted item is always in exactly one
/// list, its caller's or a batcher's in-flight list. The operations of batchers are in <see cref="BatcherQueue"/>.
/// </summary>
public sealed class RequestQueue(IConnectionMultiplexer redis, RedisKeys keys, IOptions<QueueOptions> options, ClusterClock clock)
{
    /// <summary>The mark of an item outlives its deadline by this time, so that the item is found expired instead of missing.</summary>
    private static readonly TimeSpan ExpiredGrace = TimeSpan.FromSeconds(30);

    private readonly QueueOptions _options = options.Value;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Puts an item at the tail of its caller's list. The time of entry is that of Redis.</summary>
    /// <param name="item">The item.</param>
    /// <param name="limit">Maximum number of items that may be served before it; the queue's capacity also applies.</param>
    /// <param name="asynchronous">The caller will ask for the answer later, so a withdrawal for other callers must fail.</param>
    /// <returns>
    /// The outcome, and the item's place when it was queued, otherwise the number of items that would be served before it: all of its caller, and of
    /// each other caller as many as have their turn by then.
    /// </returns>
    public async Task<Enqueued> EnqueueAsync(QueuedItem item, int limit, bool asynchronous = false)
    {
        ArgumentNullException.ThrowIfNull(item);
        var reply = await AskAsync(
            Database,
            clock,
            QueueScripts.Enqueue,
            [
                keys.Queue(item.Key.Model),
                keys.Callers(item.Key.Model),
                keys.Item(item.Key),
                keys.Result(item.Key),
                keys.Poison(item.Key),
            ],
            [
                item.Key.Item,
                item.MarkEnd,
                QueueScripts.Milliseconds(item.Deadline - clock.GetUtcNow()),
                _options.Capacity,
                keys.Wake(item.Key.Model),
                asynchronous ? "1" : "",
                limit,
                item.Caller ?? "",
                _options.CallerShare,
            ],
            timeAt: 3);
        return new Enqueued((EnqueueOutcome)(int)reply[0], (int)reply[1], DateTimeOffset.FromUnixTimeMilliseconds((long)reply[2]));
    }

    /// <summary>Extends the item for another asynchronous caller: uses its deadline if that is later, and protects the item from withdrawal.</summary>
    /// <returns>Whether the item waits or is processed.</returns>
    public async Task<bool> ExtendAsync(RequestKey key, TimeSpan budget) =>
        (long)(await AskAsync(Database, clock, QueueScripts.Extend, [keys.Item(key)], [QueueScripts.Milliseconds(budget)], timeAt: 1))[0] != 0;

    /// <summary>Whether an item waits or is processed.</summary>
    public Task<bool> ContainsAsync(RequestKey key) => Database.KeyExistsAsync(keys.Item(key));

    /// <summary>Whether an item waits or is processed, and its deadline has not passed, or only so recently that its end will be reported soon.</summary>
    public async Task<bool> IsUnderWayAsync(RequestKey key) =>
        QueuedItem.Read(key, (string?)await Database.StringGetAsync(keys.Item(key)) ?? "", 0) is { } item
        && clock.GetUtcNow() < item.Deadline + ExpiredGrace;

    /// <summary>Number of waiting items of all callers.</summary>
    public async Task<int> LengthAsync(string model) => (await LookAsync(model)).Length;

    /// <summary>Number of requests of all models that wait or are processed.</summary>
    internal async Task<int> CountAsync()
    {
        var requests = 0L;
        foreach (var model in (await Database.HashKeysAsync(keys.Models)).Select(static model => (string)model!))
        {
            // In this order: a request that is claimed in between is counted twice, but not missed.
            requests += await LengthAsync(model);
            foreach (var batcher in await Database.SetMembersAsync(keys.Batchers(model)))
            {
                requests += await Database.ListLengthAsync(keys.InFlight(model, (string)batcher!));
            }
        }

        return (int)requests;
    }

    /// <summary>The state of a model's queue.</summary>
    public async Task<QueueState> LookAsync(string model)
    {
        var reply = await AskAsync(
            Database,
            clock,
            QueueScripts.Look, [keys.Queue(model), keys.Callers(model), keys.Dead(model)], [keys.ItemPrefix(model)], timeAt: 3);
        var (since, now) = ((long)reply[1], (long)reply[3]);
        return new QueueState((int)reply[0], since == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Max(0, now - since)), (int)reply[2]);
    }

    /// <summary>Removes an item from the queue.</summary>
    /// <param name="key">The item.</param>
    /// <param name="deadline">Its deadline when it was queued. If it has another deadline now, other callers wait for it too, and it stays.</param>
    /// <returns><see langword="false"/> when it was not in the queue, or stays.</returns>
    public async Task<bool> WithdrawAsync(RequestKey key, DateTimeOffset deadline) =>
        (bool)await Database.ScriptEvaluateAsync(
            QueueScripts.Withdraw,
            [keys.Queue(key.Model), keys.Callers(key.Model), keys.Item(key)],
            [key.Item, deadline.ToUnixTimeMilliseconds(), QueueScripts.Milliseconds(QueueScripts.DebtExpiry)]);

    /// <summary>Removes items from the queue of a model that no device serves any more, including those that callers wait for.</summary>
    /// <param name="model">The model.</param>
    /// <param name="most">Maximum number of items.</param>
    public async Task<IReadOnlyList<RequestKey>> AbandonAsync(string model, int most) => QueueScripts.Parse(
        model, (RedisResult[])(await Database.ScriptEvaluateAsync(QueueScripts.Abandon, [keys.Queue(model), keys.Callers(model)], [keys.ItemPrefix(model), most]))!);

    /// <summary>Runs a script that returns the time of Redis with its answer.</summary>
    internal static async Task<RedisResult[]> AskAsync(IDatabase database, ClusterClock clock, string script, RedisKey[] keys, RedisValue[] values, int timeAt)
    {
        var asked = clock.GetTimestamp();
        var reply = (RedisResult[])(await database.ScriptEvaluateAsync(script, keys, values))!;
        if (reply.Length > timeAt)
        {
            clock.Set(DateTimeOffset.FromUnixTimeMilliseconds((long)reply[timeAt]), asked);
        }

        return reply;
    }
}
