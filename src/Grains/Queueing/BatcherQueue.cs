using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Queueing;

/// <summary>The operations of batchers on the queues in Redis: leases, and the items that are claimed under them. See <see cref="RequestQueue"/>.</summary>
public sealed class BatcherQueue(IConnectionMultiplexer redis, RedisKeys keys, IOptions<QueueOptions> options, ClusterClock clock)
{
    private static readonly TimeSpan AttemptsExpiry = TimeSpan.FromHours(1);

    /// <summary>How long the answers to a batcher are kept; longer than the batcher retries.</summary>
    private static readonly TimeSpan AnswersExpiry = TimeSpan.FromHours(1);

    private readonly QueueOptions _options = options.Value;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Takes a lease for a new batcher.</summary>
    public Task TakeLeaseAsync(string model, string batcher) => LeaseAsync(model, batcher, "new");

    /// <summary>Renews a lease. <see langword="false"/> when it has expired: other batchers may have reclaimed its items.</summary>
    public Task<bool> RenewLeaseAsync(string model, string batcher) => LeaseAsync(model, batcher, "renew");

    /// <summary>
    /// Moves up to <paramref name="most"/> items from the heads of the callers' lists, one from each in turn, to the batcher's
    /// in-flight list. An item whose batchers keep losing their leases is claimed alone, so that no other item loses its lease with it.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher.</param>
    /// <param name="most">Maximum number of items.</param>
    /// <param name="device">Its device: an item that failed on this device last is left to other batchers, while there are others.</param>
    public async Task<Claim> ClaimAsync(string model, string batcher, int most, string device = "")
    {
        var reply = await RequestQueue.AskAsync(
            Database,
            clock,
            QueueScripts.Claim,
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
                // Another program wrote into the list. The value must not stay in the in-flight list for ever.
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

    /// <summary>Charges turns to callers whose pictures cost more than an ordinary one: other callers are served first.</summary>
    /// <param name="model">The model.</param>
    /// <param name="turns">Turns by caller; the empty name stands for callers without a name.</param>
    public async Task ChargeAsync(string model, IReadOnlyDictionary<string, int> turns)
    {
        ArgumentNullException.ThrowIfNull(turns);
        var values = new List<RedisValue>(1 + (2 * turns.Count)) { QueueScripts.Milliseconds(QueueScripts.DebtExpiry) };
        foreach (var (caller, taken) in turns)
        {
            values.AddRange([caller, taken]);
        }

        await Database.ScriptEvaluateAsync(QueueScripts.Charge, [keys.Queue(model), keys.Callers(model)], [.. values]);
    }

    /// <summary>Ends items that the batcher still holds.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher.</param>
    /// <param name="settlements">The final states of the items.</param>
    /// <param name="resultExpiry">How long their results are kept.</param>
    /// <param name="number">Number of this settle, unique within the lease.</param>
    /// <param name="again">
    /// It was sent before, and the answer was lost. If Redis had executed it, it changes nothing and returns the same answer again.
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
            QueueScripts.Milliseconds(resultExpiry),
            number,
            again ? "1" : "",
            QueueScripts.Milliseconds(AnswersExpiry),
            keys.Wake(model),
        };
        foreach (var (key, result, expired, pictureLostAt) in settlements)
        {
            touched.AddRange([keys.Item(key), keys.Result(key)]);
            values.AddRange([key.Item, result, expired ? 0 : pictureLostAt?.ToUnixTimeMilliseconds() ?? RedisValue.EmptyString]);
        }

        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(QueueScripts.Settle, [.. touched], [.. values]))!;
        return Array.ConvertAll(reply, static outcome => (SettleOutcome)(int)outcome);
    }

    /// <summary>
    /// Returns items on which a device failed to the heads of the callers' lists and counts an attempt for each. Items that failed
    /// <see cref="QueueOptions.MaxAttempts"/> times are not returned.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher that holds them.</param>
    /// <param name="device">Its device, which claims the items again only when every other device has failed on them, too.</param>
    /// <param name="isSick">
    /// Whether the device fails on other pictures as well: then no attempt is counted for an item that it failed on for the first time.
    /// </param>
    /// <param name="items">The items.</param>
    /// <returns>The outcome of each item.</returns>
    public async Task<ReturnOutcome[]> ReturnAsync(string model, string batcher, string device, bool isSick, IReadOnlyList<RequestKey> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            QueueScripts.Return,
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
                QueueScripts.Milliseconds(AttemptsExpiry),
                _options.DeadLetters,
                QueueScripts.Milliseconds(_options.DeadLetterExpiry),
                device,
                isSick ? 1 : 0,
                .. items.Select(key => (RedisValue)key.Item),
            ]))!;
        return Array.ConvertAll(reply, outcome => (ReturnOutcome)(int)outcome);
    }

    /// <summary>Returns items that a batcher does not start to the heads of the callers' lists. No attempt is counted.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher that claimed them.</param>
    /// <param name="items">The items.</param>
    /// <returns>Number of items returned; the others are held by other batchers.</returns>
    public async Task<int> DeferAsync(string model, string batcher, IReadOnlyList<RequestKey> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return (int)await Database.ScriptEvaluateAsync(
            QueueScripts.Defer,
            [keys.Queue(model), keys.Callers(model), keys.InFlight(model, batcher)],
            [keys.ItemPrefix(model), keys.Wake(model), .. items.Select(key => (RedisValue)key.Item)]);
    }

    /// <summary>Batchers of a model that may have claimed items.</summary>
    public async Task<IReadOnlyList<string>> BatchersAsync(string model) =>
        Array.ConvertAll(await Database.SetMembersAsync(keys.Batchers(model)), member => (string)member!);

    /// <summary>Returns the items of a batcher to the heads of the callers' lists, if its lease has expired.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">The batcher.</param>
    /// <param name="counts">Whether an attempt is counted for each item. It is not when leases expired because Redis was unreachable.</param>
    public async Task<Reclaimed> ReclaimAsync(string model, string batcher, bool counts = true)
    {
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            QueueScripts.Reclaim,
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
                QueueScripts.Milliseconds(AttemptsExpiry),
                _options.DeadLetters,
                QueueScripts.Milliseconds(_options.DeadLetterExpiry),
                keys.PoisonPrefix(model),
                QueueScripts.Milliseconds(_options.PoisonExpiry),
                counts ? 1 : 0,
            ]))!;
        var returned = (int)reply[0];
        return returned < 0
            ? new Reclaimed(true, 0, [])
            : new Reclaimed(false, returned, QueueScripts.Parse(model, reply.Skip(1)));
    }

    /// <summary>Stops a batcher gracefully: its claimed items return to the heads of the callers' lists and its lease ends.</summary>
    /// <returns>Number of items returned.</returns>
    public async Task<int> ReleaseAsync(string model, string batcher) =>
        (int)await Database.ScriptEvaluateAsync(
            QueueScripts.Release,
            [
                keys.Queue(model),
                keys.Callers(model),
                keys.InFlight(model, batcher),
                keys.Lease(model, batcher),
                keys.Batchers(model),
            ],
            [batcher, keys.Wake(model), keys.ItemPrefix(model)]);

    /// <summary>Calls <paramref name="wake"/> whenever something is enqueued, until the subscription is disposed.</summary>
    public Task<IAsyncDisposable> SubscribeAsync(string model, Action wake) => WakeUps.SubscribeAsync(redis, keys.Wake(model), wake);

    private async Task<bool> LeaseAsync(string model, string batcher, string mode) =>
        (bool)await Database.ScriptEvaluateAsync(
            QueueScripts.Lease,
            [keys.Lease(model, batcher), keys.Batchers(model)],
            [batcher, QueueScripts.Milliseconds(_options.Lease), mode]);
}
