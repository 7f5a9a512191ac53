using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
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

    /// <summary>More stand before it than may.</summary>
    TooLate,

    /// <summary>More of its caller stand before it than may.</summary>
    OwnTooLate,
}

/// <summary>What became of an attempt to enqueue.</summary>
/// <param name="Outcome">What.</param>
/// <param name="Place">The item's place when it was queued, else how many would be served before it.</param>
/// <param name="Deadline">The item's deadline when it waits or runs: that of whoever waits longest.</param>
public readonly record struct Enqueued(EnqueueOutcome Outcome, int Place, DateTimeOffset Deadline);

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
/// <param name="Expired">It ends because its deadline passed, as far as the batcher knows.</param>
public readonly record struct Settlement(RequestKey Key, ReadOnlyMemory<byte> Result, bool Expired = false);

/// <summary>What became of an item that was to end.</summary>
public enum SettleOutcome
{
    /// <summary>The batcher no longer held it; it was left alone.</summary>
    NotHeld,

    /// <summary>It has ended.</summary>
    Settled,

    /// <summary>Its deadline has been extended since it was claimed: it is back in the queue.</summary>
    Returned,
}

/// <summary>What was done about a batcher.</summary>
/// <param name="Alive">Its lease holds; nothing was done.</param>
/// <param name="Returned">Items returned to the queue.</param>
/// <param name="Poison">Items given up.</param>
public sealed record Reclaimed(bool Alive, int Returned, IReadOnlyList<RequestKey> Poison);

/// <summary>What became of an item that a device failed on.</summary>
public enum ReturnOutcome
{
    /// <summary>It was not the batcher's any more.</summary>
    NotHeld,

    /// <summary>Back at the head of its caller's list.</summary>
    Returned,

    /// <summary>It failed too often.</summary>
    GivenUp,
}

/// <summary>
/// The queues of requests in Redis, per model one list and one more for each named caller, who are served in turn (layout:
/// <see cref="RedisKeys"/>). Each operation is one script and so atomic: at every instant an accepted item stands in exactly one
/// list, its caller's or a batcher's in-flight list, until it is settled.
/// </summary>
public sealed class RequestQueue(IConnectionMultiplexer redis, RedisKeys keys, IOptions<QueueOptions> options, ClusterClock clock)
{
    /// <summary>An item is looked for a little beyond its deadline, so that it is found expired rather than missing.</summary>
    private static readonly TimeSpan ExpiredGrace = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AttemptsExpiry = TimeSpan.FromHours(1);

    /// <summary>How long it is known what a batcher was answered; longer than it takes to ask again.</summary>
    private static readonly TimeSpan AnswersExpiry = TimeSpan.FromHours(1);

    /// <summary>How long a caller owes turns for pictures that cost more.</summary>
    private static readonly TimeSpan DebtExpiry = TimeSpan.FromMinutes(1);

    private static readonly string Marks = Script("clock") + Script("marks");
    private static readonly string Lists = Marks + Script("callers");
    private static readonly string EnqueueScript = Lists + Script("enqueue");
    private static readonly string ChargeScript = Lists + Script("charge");
    private static readonly string ExtendScript = Marks + Script("extend");
    private static readonly string ClaimScript = Lists + Script("claim");
    private static readonly string LookScript = Lists + Script("look");
    private static readonly string SettleScript = Lists + Script("settle");
    private static readonly string ReclaimScript = Lists + Script("reclaim");
    private static readonly string DeferScript = Lists + Script("defer");
    private static readonly string ReturnScript = Lists + Script("return");
    private static readonly string ReleaseScript = Lists + Script("release");
    private static readonly string WithdrawScript = Lists + Script("withdraw");
    private static readonly string AbandonScript = Lists + Script("abandon");
    private static readonly string LeaseScript = Script("lease");

    private readonly QueueOptions _options = options.Value;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Puts an item at the tail of its caller's list. Redis says when it entered.</summary>
    /// <param name="item">The item.</param>
    /// <param name="limit">Most items that may be served before it; the queue's capacity counts as well.</param>
    /// <param name="asynchronous">The caller will come back for the answer, so that nobody else may withdraw the item.</param>
    /// <returns>
    /// The outcome, and the item's place when it was queued, else how many would be served before it: those of its caller, and of
    /// every other as many as have their turn by then.
    /// </returns>
    public async Task<Enqueued> EnqueueAsync(QueuedItem item, int limit, bool asynchronous = false)
    {
        ArgumentNullException.ThrowIfNull(item);
        var reply = await AskAsync(
            EnqueueScript,
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
                Milliseconds(item.Deadline - clock.GetUtcNow()),
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

    /// <summary>
    /// Keeps an item for one who joins those who wait for it and will come back for the answer: its deadline becomes his when that is
    /// later, and nobody else withdraws it.
    /// </summary>
    /// <returns>Whether the item waits or runs.</returns>
    public async Task<bool> ExtendAsync(RequestKey key, TimeSpan budget) =>
        (long)(await AskAsync(ExtendScript, [keys.Item(key)], [Milliseconds(budget)], timeAt: 1))[0] != 0;

    /// <summary>Whether an item waits or runs.</summary>
    public Task<bool> ContainsAsync(RequestKey key) => Database.KeyExistsAsync(keys.Item(key));

    /// <summary>Whether an item waits or runs and is still of use, or its deadline passed so lately that its end is about to be told.</summary>
    public async Task<bool> IsUnderWayAsync(RequestKey key) =>
        QueuedItem.Read(key, (string?)await Database.StringGetAsync(keys.Item(key)) ?? "", 0) is { } item
        && clock.GetUtcNow() < item.Deadline + ExpiredGrace;

    /// <summary>Number of items that wait, of all callers.</summary>
    public async Task<int> LengthAsync(string model) => (await LookAsync(model)).Length;

    /// <summary>How the queue of a model stands.</summary>
    public async Task<QueueState> LookAsync(string model)
    {
        var reply = await AskAsync(
            LookScript, [keys.Queue(model), keys.Callers(model), keys.Dead(model)], [keys.ItemPrefix(model)], timeAt: 3);
        var (since, now) = ((long)reply[1], (long)reply[3]);
        return new QueueState((int)reply[0], since == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Max(0, now - since)), (int)reply[2]);
    }

    /// <summary>Takes an item out of the queue.</summary>
    /// <param name="key">The item.</param>
    /// <param name="deadline">Its deadline as it was when it was queued. With another one it is somebody else's as well and stays.</param>
    /// <returns><see langword="false"/> when it was not waiting there, or stays.</returns>
    public async Task<bool> WithdrawAsync(RequestKey key, DateTimeOffset deadline) =>
        (bool)await Database.ScriptEvaluateAsync(
            WithdrawScript,
            [keys.Queue(key.Model), keys.Callers(key.Model), keys.Item(key)],
            [key.Item, deadline.ToUnixTimeMilliseconds(), Milliseconds(DebtExpiry)]);

    /// <summary>Takes a lease for a new batcher.</summary>
    public Task TakeLeaseAsync(string model, string batcher) => LeaseAsync(model, batcher, "new");

    /// <summary>Renews a lease. <see langword="false"/> when it had ended: others may have what the batcher held.</summary>
    public Task<bool> RenewLeaseAsync(string model, string batcher) => LeaseAsync(model, batcher, "renew");

    /// <summary>
    /// Moves up to <paramref name="most"/> items from the heads of the callers' lists, one from each in turn, to the batcher's
    /// in-flight list. An item whose batchers keep dying is claimed alone, so that it takes no other with it when it is given up.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher.</param>
    /// <param name="most">Most items.</param>
    /// <param name="device">Its device: an item that failed on this device last is left to other batchers, while there are any.</param>
    public async Task<Claim> ClaimAsync(string model, string batcher, int most, string device = "")
    {
        var reply = await AskAsync(
            ClaimScript,
            [
                keys.Queue(model),
                keys.Callers(model),
                keys.InFlight(model, batcher),
                keys.Lease(model, batcher),
                keys.Attempts(model),
                keys.Batchers(model),
            ],
            [most, keys.ItemPrefix(model), Math.Max(1, _options.MaxAttempts - 1), device],
            timeAt: 1);
        if (reply.Length == 0)
        {
            return new Claim(false, [], [], 0);
        }

        var items = new List<QueuedItem>((reply.Length - 2) / 3);
        List<RequestKey>? expired = null;
        for (var i = 2; i + 2 < reply.Length; i += 3)
        {
            var text = (string)reply[i]!;
            if (!RequestKey.TryParseItem(model, text, out var key))
            {
                // Not ours: somebody else wrote into the list. It must not stay in the in-flight list for ever.
                await Database.ListRemoveAsync(keys.InFlight(model, batcher), text);
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

    /// <summary>Takes turns from callers whose pictures cost more than the one that each had: others are served meanwhile.</summary>
    /// <param name="model">The model.</param>
    /// <param name="turns">Turns by caller; the empty name is that of those who have none.</param>
    public async Task ChargeAsync(string model, IReadOnlyDictionary<string, int> turns)
    {
        ArgumentNullException.ThrowIfNull(turns);
        var values = new List<RedisValue>(1 + (2 * turns.Count)) { Milliseconds(DebtExpiry) };
        foreach (var (caller, taken) in turns)
        {
            values.AddRange([caller, taken]);
        }

        await Database.ScriptEvaluateAsync(ChargeScript, [keys.Queue(model), keys.Callers(model)], [.. values]);
    }

    /// <summary>Ends items that the batcher still holds.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher.</param>
    /// <param name="settlements">How the items end.</param>
    /// <param name="resultExpiry">How long their results can be read.</param>
    /// <param name="number">Number of this settle among those of the batcher.</param>
    /// <param name="again">
    /// It was sent before, and the answer is lost. When Redis had it then, it does nothing more and gives the answer that it gave.
    /// </param>
    public async Task<SettleOutcome[]> SettleAsync(
        string model, string batcher, IReadOnlyList<Settlement> settlements, TimeSpan resultExpiry, int number = 0, bool again = false)
    {
        ArgumentNullException.ThrowIfNull(settlements);
        var touched = new List<RedisKey>(5 + (2 * settlements.Count))
        {
            keys.Queue(model),
            keys.Callers(model),
            keys.InFlight(model, batcher),
            keys.Attempts(model),
            keys.Answers(model, batcher),
        };
        var values = new List<RedisValue>(5 + (3 * settlements.Count))
        {
            Milliseconds(resultExpiry),
            number,
            again ? "1" : "",
            Milliseconds(AnswersExpiry),
            keys.Wake(model),
        };
        foreach (var (key, result, expired) in settlements)
        {
            touched.AddRange([keys.Item(key), keys.Result(key)]);
            values.AddRange([key.Item, result, expired ? "1" : ""]);
        }

        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(SettleScript, [.. touched], [.. values]))!;
        return Array.ConvertAll(reply, static outcome => (SettleOutcome)(int)outcome);
    }

    /// <summary>
    /// Returns items on which a device failed to the heads of the callers' lists, with an attempt counted for each; what failed
    /// <see cref="QueueOptions.MaxAttempts"/> times is given up.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher that holds them.</param>
    /// <param name="device">Its device, which claims them again only when each other one has failed on them too.</param>
    /// <param name="isSick">Whether the device fails on other pictures as well: no attempt is counted then for an item that it had for the first time.</param>
    /// <param name="items">The items.</param>
    /// <returns>Per item, what became of it.</returns>
    public async Task<ReturnOutcome[]> ReturnAsync(string model, string batcher, string device, bool isSick, IReadOnlyList<RequestKey> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            ReturnScript,
            [
                keys.Queue(model),
                keys.Callers(model),
                keys.InFlight(model, batcher),
                keys.Attempts(model),
                keys.Dead(model),
            ],
            [
                keys.ItemPrefix(model),
                keys.Wake(model),
                _options.MaxAttempts,
                Milliseconds(AttemptsExpiry),
                _options.DeadLetters,
                Milliseconds(_options.DeadLetterExpiry),
                device,
                isSick ? 1 : 0,
                .. items.Select(key => (RedisValue)key.Item),
            ]))!;
        return Array.ConvertAll(reply, outcome => (ReturnOutcome)(int)outcome);
    }

    /// <summary>Returns items that a batcher does not begin to the heads of the callers' lists. No attempt is counted.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher that claimed them.</param>
    /// <param name="items">The items.</param>
    /// <returns>Number of items returned; the others are not the batcher's any more.</returns>
    public async Task<int> DeferAsync(string model, string batcher, IReadOnlyList<RequestKey> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return (int)await Database.ScriptEvaluateAsync(
            DeferScript,
            [keys.Queue(model), keys.Callers(model), keys.InFlight(model, batcher)],
            [keys.ItemPrefix(model), keys.Wake(model), .. items.Select(key => (RedisValue)key.Item)]);
    }

    /// <summary>Batchers of a model that may hold items.</summary>
    public async Task<IReadOnlyList<string>> BatchersAsync(string model) =>
        Array.ConvertAll(await Database.SetMembersAsync(keys.Batchers(model)), member => (string)member!);

    /// <summary>Returns what a batcher held to the heads of the callers' lists, if its lease has ended.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher.</param>
    /// <param name="counts">Whether an attempt is counted for each item: not when leases ended because Redis was away.</param>
    public async Task<Reclaimed> ReclaimAsync(string model, string batcher, bool counts = true)
    {
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            ReclaimScript,
            [
                keys.Queue(model),
                keys.Callers(model),
                keys.InFlight(model, batcher),
                keys.Lease(model, batcher),
                keys.Batchers(model),
                keys.Attempts(model),
                keys.Dead(model),
            ],
            [
                batcher,
                _options.MaxAttempts,
                keys.ItemPrefix(model),
                keys.Wake(model),
                Milliseconds(AttemptsExpiry),
                _options.DeadLetters,
                Milliseconds(_options.DeadLetterExpiry),
                keys.PoisonPrefix(model),
                Milliseconds(_options.PoisonExpiry),
                counts ? 1 : 0,
            ]))!;
        var returned = (int)reply[0];
        return returned < 0
            ? new Reclaimed(true, 0, [])
            : new Reclaimed(false, returned, Parse(model, reply.Skip(1)));
    }

    /// <summary>Ends a batcher in order: what it holds goes back to the heads of the callers' lists and its lease ends.</summary>
    /// <returns>Number of items returned.</returns>
    public async Task<int> ReleaseAsync(string model, string batcher) =>
        (int)await Database.ScriptEvaluateAsync(
            ReleaseScript,
            [
                keys.Queue(model),
                keys.Callers(model),
                keys.InFlight(model, batcher),
                keys.Lease(model, batcher),
                keys.Batchers(model),
            ],
            [batcher, keys.Wake(model), keys.ItemPrefix(model)]);

    /// <summary>Takes items out of the queue of a model that nobody serves any more, whoever waits for them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="most">Most items.</param>
    public async Task<IReadOnlyList<RequestKey>> AbandonAsync(string model, int most) => Parse(
        model, (RedisResult[])(await Database.ScriptEvaluateAsync(AbandonScript, [keys.Queue(model), keys.Callers(model)], [keys.ItemPrefix(model), most]))!);

    /// <summary>Calls <paramref name="wake"/> whenever something is enqueued, until the subscription is disposed.</summary>
    public Task<IAsyncDisposable> SubscribeAsync(string model, Action wake) => WakeUps.SubscribeAsync(redis, keys.Wake(model), wake);

    private async Task<bool> LeaseAsync(string model, string batcher, string mode) =>
        (bool)await Database.ScriptEvaluateAsync(
            LeaseScript,
            [keys.Lease(model, batcher), keys.Batchers(model)],
            [batcher, Milliseconds(_options.Lease), mode]);

    /// <summary>Runs a script that tells Redis' time with its answer.</summary>
    private async Task<RedisResult[]> AskAsync(string script, RedisKey[] keys, RedisValue[] values, int timeAt)
    {
        var asked = clock.GetTimestamp();
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(script, keys, values))!;
        if (reply.Length > timeAt)
        {
            clock.Set(DateTimeOffset.FromUnixTimeMilliseconds((long)reply[timeAt]), asked);
        }

        return reply;
    }

    private static List<RequestKey> Parse(string model, IEnumerable<RedisResult> items)
    {
        var parsed = new List<RequestKey>();
        foreach (var item in items)
        {
            if (RequestKey.TryParseItem(model, (string)item!, out var key))
            {
                parsed.Add(key);
            }
        }

        return parsed;
    }

    private static long Milliseconds(TimeSpan span) => Math.Max(1, (long)span.TotalMilliseconds);

    private static string Script(string name) => EmbeddedScript.Read(typeof(RequestQueue), name);
}
