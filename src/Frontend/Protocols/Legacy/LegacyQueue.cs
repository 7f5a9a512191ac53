using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>
/// The Redis list of the replaced system. Each front end is a taker: it moves items to its own list and removes them when they are answered
/// or dropped. A taker holds a lease. When the lease expires, the other takers return its items to the list.
/// <code>
/// imageQueue                                list    the items; the oldest is at the right end
/// IMAGEKEY                                  hash    consultOut: the annotated JPEG in base64; expires
/// detection:{imageQueue}:taken:TAKER        list    the items that a taker processes
/// detection:{imageQueue}:lease:TAKER        string  the lease; expires unless renewed
/// detection:{imageQueue}:takers             set     takers that may hold items
/// detection:{imageQueue}:returns            hash    SHA-1 of an item → how often the lease of its taker expired; expires an hour after the last
/// </code>
/// </summary>
internal sealed class LegacyQueue
{
    private const int MaxReturns = 3;

    private static readonly string TakeScript = Script("take");
    private static readonly string AnswerScript = Script("answer");
    private static readonly string ReturnScript = Script("return");

    private readonly IDatabase _redis;
    private readonly RedisKeys _keys;
    private readonly LegacyQueueOptions _options;
    private readonly string _taker;
    private readonly RedisKey _queue;
    private readonly RedisKey _takers;
    private readonly RedisKey _returns;

    /// <param name="redis">The Redis with the list.</param>
    /// <param name="clusterId">Id of the cluster; answers are never written to its keys.</param>
    /// <param name="options">The settings.</param>
    /// <param name="taker">Unique name of this taker.</param>
    public LegacyQueue(IConnectionMultiplexer redis, string clusterId, LegacyQueueOptions options, string taker)
    {
        (_redis, _keys, _options, _taker) = (redis.GetDatabase(), new RedisKeys(clusterId), options, taker);
        (_queue, _takers, _returns) = (options.Queue, Key("takers"), Key("returns"));
    }

    /// <summary>Reads an item; <see langword="null"/>, and the fault, when it is not valid.</summary>
    public LegacyItem? Read(RedisValue item, out string? fault) => LegacyItem.Read(((ReadOnlyMemory<byte>)item).Span, IsForAnswers, out fault);

    /// <summary>Renews the lease of this taker.</summary>
    public async Task RenewAsync()
    {
        await _redis.SetAddAsync(_takers, _taker);
        await _redis.StringSetAsync(Lease(_taker), "", _options.Lease);
    }

    /// <summary>Takes up to <paramref name="max"/> of the oldest items; <see langword="null"/> when the lease has expired.</summary>
    public async Task<RedisValue[]?> TakeAsync(int max)
    {
        var reply = await _redis.ScriptEvaluateAsync(TakeScript, [Lease(_taker), _queue, Taken(_taker)], [max]);
        return reply.IsNull ? null : (RedisValue[])reply!;
    }

    /// <summary>Writes the answer to the item's key and removes the item.</summary>
    /// <returns>Whether the answer was written; false when the key exists and is not a hash.</returns>
    public async Task<bool> AnswerAsync(RedisValue item, string imageKey, ReadOnlyMemory<byte> base64)
    {
        var answered = true;
        try
        {
            await _redis.ScriptEvaluateAsync(AnswerScript, [imageKey], [base64, (long)_options.ResultExpiry.TotalMilliseconds]);
        }
        catch (RedisServerException e) when (e.Message.Contains("WRONGTYPE", StringComparison.Ordinal))
        {
            answered = false;
        }

        await DropAsync(item);
        return answered;
    }

    /// <summary>Removes an item without an answer.</summary>
    public Task<long> DropAsync(RedisValue item) => _redis.ListRemoveAsync(Taken(_taker), item, -1);

    /// <summary>Returns the items of takers whose lease expired.</summary>
    /// <returns>Items returned, and items dropped because the leases of their takers expired too often.</returns>
    public async Task<(int Back, int Dropped)> RecoverAsync()
    {
        var (back, dropped) = (0, 0);
        foreach (var other in await _redis.SetMembersAsync(_takers))
        {
            if (other != _taker)
            {
                var (b, d) = await ReturnAsync(other!, MaxReturns);
                back += b;
                dropped += d;
            }
        }

        return (back, dropped);
    }

    /// <summary>Ends the lease of this taker and returns its items.</summary>
    public async Task LeaveAsync()
    {
        await _redis.KeyDeleteAsync(Lease(_taker));
        await ReturnAsync(_taker, 0);
    }

    private async Task<(int Back, int Dropped)> ReturnAsync(string of, int max)
    {
        var reply = (int[])(await _redis.ScriptEvaluateAsync(ReturnScript, [Lease(of), _queue, Taken(of), _takers, _returns], [of, max]))!;
        return (reply[0], reply[1]);
    }

    /// <summary>Whether answers may be written to a key: not to the list, and not to keys of the cluster.</summary>
    private bool IsForAnswers(string key) => key != _options.Queue && !_keys.IsOurs(key);

    private RedisKey Lease(string of) => Key("lease:" + of);

    private RedisKey Taken(string of) => Key("taken:" + of);

    private RedisKey Key(string name) => _keys.Legacy(_options.Queue, name);

    private static string Script(string name) => EmbeddedScript.Read(typeof(LegacyQueue), name);
}
