using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Queueing;

/// <summary>What became of an attempt to enqueue.</summary>
public enum EnqueueOutcome
{
    /// <summary>Too many wait.</summary>
    Full,

    /// <summary>In the queue now.</summary>
    Queued,

    /// <summary>It was waiting or running already.</summary>
    AlreadyThere,

    /// <summary>The caller has used its share of the queue; others are still accepted.</summary>
    ShareUsed,

    /// <summary>There is a result for it already.</summary>
    AlreadyDone,

    /// <summary>It was given up as poison a while ago.</summary>
    Poison,
}

/// <summary>Items that a batcher has claimed.</summary>
/// <param name="LeaseHeld">Whether the batcher's lease was alive; nothing is claimed without one.</param>
/// <param name="Items">The claimed items.</param>
/// <param name="Void">Claimed items that expired or were withdrawn: to be settled without a result.</param>
/// <param name="Waiting">Items left in the queue.</param>
public sealed record Claim(bool LeaseHeld, IReadOnlyList<QueuedItem> Items, IReadOnlyList<RequestKey> Void, int Waiting);

/// <summary>A queue at one instant.</summary>
/// <param name="Length">Items that wait.</param>
/// <param name="Oldest">How long the oldest has waited; zero when none waits.</param>
/// <param name="GivenUp">Items on the list of those that were given up.</param>
public readonly record struct QueueState(int Length, TimeSpan Oldest, int GivenUp);

/// <summary>How an item ends.</summary>
/// <param name="Key">The item.</param>
/// <param name="Result">The serialized result to publish; empty to publish none.</param>
public readonly record struct Settlement(RequestKey Key, ReadOnlyMemory<byte> Result);

/// <summary>What was done about a batcher.</summary>
/// <param name="Alive">Its lease holds; nothing was done.</param>
/// <param name="Returned">Items returned to the queue.</param>
/// <param name="Poison">Items given up.</param>
public sealed record Reclaimed(bool Alive, int Returned, IReadOnlyList<RequestKey> Poison);

/// <summary>
/// The queues of requests in Redis, per model one list and one more for each named caller, who are served in turn (layout:
/// <see cref="RedisKeys"/>). Each operation is one script and so atomic: at every instant an accepted item stands in exactly one
/// list, its caller's or a batcher's in-flight list, until it is settled.
/// </summary>
public sealed class RequestQueue(IConnectionMultiplexer redis, IOptions<QueueOptions> options, TimeProvider time)
{
    /// <summary>The mark outlives the deadline a little, so that an item is found expired rather than missing.</summary>
    private static readonly TimeSpan MarkGrace = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AttemptsExpiry = TimeSpan.FromHours(1);

    private static readonly string Callers = Script("callers");
    private static readonly string EnqueueScript = Callers + Script("enqueue");
    private static readonly string ClaimScript = Callers + Script("claim");
    private static readonly string LookScript = Callers + Script("look");
    private static readonly string SettleScript = Script("settle");
    private static readonly string ReclaimScript = Callers + Script("reclaim");
    private static readonly string ReleaseScript = Callers + Script("release");
    private static readonly string WithdrawScript = Callers + Script("withdraw");
    private static readonly string LeaseScript = Script("lease");

    private readonly QueueOptions _options = options.Value;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Puts an item at the tail of its caller's list.</summary>
    /// <param name="item">The item.</param>
    /// <param name="limit">Most items that may be served before it; the queue's capacity counts as well.</param>
    /// <returns>
    /// The outcome, and the item's place when it was queued, else how many would be served before it: those of its caller, and of
    /// every other as many as have their turn by then.
    /// </returns>
    public async Task<(EnqueueOutcome Outcome, int Place)> EnqueueAsync(QueuedItem item, int limit)
    {
        ArgumentNullException.ThrowIfNull(item);
        var lifetime = item.Deadline - time.GetUtcNow() + MarkGrace;
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            EnqueueScript,
            [
                RedisKeys.Queue(item.Key.Model),
                RedisKeys.Callers(item.Key.Model),
                RedisKeys.Item(item.Key),
                RedisKeys.Result(item.Key),
                RedisKeys.Poison(item.Key),
            ],
            [
                item.Key.Item,
                item.Mark,
                Milliseconds(lifetime),
                _options.Capacity,
                RedisKeys.Wake(item.Key.Model),
                item.Deadline.ToUnixTimeMilliseconds(),
                limit,
                item.Caller ?? "",
                _options.CallerShare,
            ]))!;
        return ((EnqueueOutcome)(int)reply[0], (int)reply[1]);
    }

    /// <summary>Whether an item waits or runs.</summary>
    public Task<bool> ContainsAsync(RequestKey key) => Database.KeyExistsAsync(RedisKeys.Item(key));

    /// <summary>Number of items that wait, of all callers.</summary>
    public async Task<int> LengthAsync(string model) => (await LookAsync(model)).Length;

    /// <summary>How the queue of a model stands.</summary>
    public async Task<QueueState> LookAsync(string model)
    {
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            LookScript, [RedisKeys.Queue(model), RedisKeys.Callers(model), RedisKeys.Dead(model)], [RedisKeys.ItemPrefix(model)]))!;
        var since = (long)reply[1];
        var oldest = since == 0 ? TimeSpan.Zero : time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(since);
        return new QueueState((int)reply[0], oldest > TimeSpan.Zero ? oldest : TimeSpan.Zero, (int)reply[2]);
    }

    /// <summary>Takes an item out of the queue. <see langword="false"/> when it was not waiting there.</summary>
    public async Task<bool> WithdrawAsync(RequestKey key) =>
        (bool)await Database.ScriptEvaluateAsync(
            WithdrawScript, [RedisKeys.Queue(key.Model), RedisKeys.Callers(key.Model), RedisKeys.Item(key)], [key.Item]);

    /// <summary>Takes a lease for a new batcher.</summary>
    public Task TakeLeaseAsync(string model, string batcher) => LeaseAsync(model, batcher, "new");

    /// <summary>Renews a lease. <see langword="false"/> when it had ended: others may have what the batcher held.</summary>
    public Task<bool> RenewLeaseAsync(string model, string batcher) => LeaseAsync(model, batcher, "renew");

    /// <summary>
    /// Moves up to <paramref name="most"/> items from the heads of the callers' lists, one from each in turn, to the batcher's
    /// in-flight list. An item whose batchers keep dying is claimed alone, so that it takes no other with it when it is given up.
    /// </summary>
    public async Task<Claim> ClaimAsync(string model, string batcher, int most)
    {
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            ClaimScript,
            [
                RedisKeys.Queue(model),
                RedisKeys.Callers(model),
                RedisKeys.InFlight(model, batcher),
                RedisKeys.Lease(model, batcher),
                RedisKeys.Attempts(model),
            ],
            [most, RedisKeys.ItemPrefix(model), Math.Max(1, _options.MaxAttempts - 1)]))!;
        if (reply.Length == 0)
        {
            return new Claim(false, [], [], 0);
        }

        var items = new List<QueuedItem>((reply.Length - 1) / 3);
        List<RequestKey>? expired = null;
        for (var i = 1; i + 2 < reply.Length; i += 3)
        {
            var text = (string)reply[i]!;
            if (!RequestKey.TryParseItem(model, text, out var key))
            {
                // Not ours: somebody else wrote into the list. It must not stay in the in-flight list for ever.
                await Database.ListRemoveAsync(RedisKeys.InFlight(model, batcher), text);
                continue;
            }

            if (QueuedItem.Read(key, (string)reply[i + 1]!, (int)reply[i + 2]) is { } item)
            {
                items.Add(item);
            }
            else
            {
                (expired ??= []).Add(key);
            }
        }

        return new Claim(true, items, expired ?? (IReadOnlyList<RequestKey>)[], (int)reply[0]);
    }

    /// <summary>Ends items that the batcher still holds.</summary>
    /// <returns>Per item, whether it was still the batcher's; the others are somebody else's now and were left alone.</returns>
    public async Task<bool[]> SettleAsync(string model, string batcher, IReadOnlyList<Settlement> settlements, TimeSpan resultExpiry)
    {
        ArgumentNullException.ThrowIfNull(settlements);
        var keys = new RedisKey[2 + (2 * settlements.Count)];
        var values = new RedisValue[1 + (2 * settlements.Count)];
        keys[0] = RedisKeys.InFlight(model, batcher);
        keys[1] = RedisKeys.Attempts(model);
        values[0] = Milliseconds(resultExpiry);
        for (var i = 0; i < settlements.Count; i++)
        {
            var (key, result) = settlements[i];
            keys[(2 * i) + 2] = RedisKeys.Item(key);
            keys[(2 * i) + 3] = RedisKeys.Result(key);
            values[(2 * i) + 1] = key.Item;
            values[(2 * i) + 2] = result;
        }

        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(SettleScript, keys, values))!;
        return Array.ConvertAll(reply, settled => (int)settled == 1);
    }

    /// <summary>Batchers of a model that may hold items.</summary>
    public async Task<IReadOnlyList<string>> BatchersAsync(string model) =>
        Array.ConvertAll(await Database.SetMembersAsync(RedisKeys.Batchers(model)), member => (string)member!);

    /// <summary>Returns what a batcher held to the heads of the callers' lists, if its lease has ended.</summary>
    public async Task<Reclaimed> ReclaimAsync(string model, string batcher)
    {
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            ReclaimScript,
            [
                RedisKeys.Queue(model),
                RedisKeys.Callers(model),
                RedisKeys.InFlight(model, batcher),
                RedisKeys.Lease(model, batcher),
                RedisKeys.Batchers(model),
                RedisKeys.Attempts(model),
                RedisKeys.Dead(model),
            ],
            [
                batcher,
                _options.MaxAttempts,
                RedisKeys.ItemPrefix(model),
                RedisKeys.Wake(model),
                Milliseconds(AttemptsExpiry),
                _options.DeadLetters,
                Milliseconds(_options.DeadLetterExpiry),
                time.GetUtcNow().ToUnixTimeMilliseconds(),
                RedisKeys.PoisonPrefix(model),
                Milliseconds(_options.PoisonExpiry),
            ]))!;
        var returned = (int)reply[0];
        return returned < 0
            ? new Reclaimed(true, 0, [])
            : new Reclaimed(false, returned, Keys(model, reply.Skip(1)));
    }

    /// <summary>Ends a batcher in order: what it holds goes back to the heads of the callers' lists and its lease ends.</summary>
    /// <returns>Number of items returned.</returns>
    public async Task<int> ReleaseAsync(string model, string batcher) =>
        (int)await Database.ScriptEvaluateAsync(
            ReleaseScript,
            [
                RedisKeys.Queue(model),
                RedisKeys.Callers(model),
                RedisKeys.InFlight(model, batcher),
                RedisKeys.Lease(model, batcher),
                RedisKeys.Batchers(model),
            ],
            [batcher, RedisKeys.Wake(model), RedisKeys.ItemPrefix(model)]);

    /// <summary>Calls <paramref name="wake"/> whenever something is enqueued, until the subscription is disposed.</summary>
    public Task<IAsyncDisposable> SubscribeAsync(string model, Action wake) => WakeUps.SubscribeAsync(redis, RedisKeys.Wake(model), wake);

    private async Task<bool> LeaseAsync(string model, string batcher, string mode) =>
        (bool)await Database.ScriptEvaluateAsync(
            LeaseScript,
            [RedisKeys.Lease(model, batcher), RedisKeys.Batchers(model)],
            [batcher, Milliseconds(_options.Lease), mode]);

    private static List<RequestKey> Keys(string model, IEnumerable<RedisResult> items)
    {
        var keys = new List<RequestKey>();
        foreach (var item in items)
        {
            if (RequestKey.TryParseItem(model, (string)item!, out var key))
            {
                keys.Add(key);
            }
        }

        return keys;
    }

    private static long Milliseconds(TimeSpan span) => Math.Max(1, (long)span.TotalMilliseconds);

    private static string Script(string name) => EmbeddedScript.Read(typeof(RequestQueue), name);
}
