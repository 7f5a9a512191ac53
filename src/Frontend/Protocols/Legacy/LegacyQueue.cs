using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>
/// The Redis list of the replaced system, as one taker sees it. An item stands in the list or in the list of its taker until it is
/// answered or given up; a taker's lease says that it lives, and when it ends the others put its items back.
/// <code>
/// imageQueue                                list    what is pushed; the oldest is at the right end
/// IMAGEKEY                                  hash    consultOut: the annotated JPEG in base64; expires
/// detection:{imageQueue}:taken:TAKER        list    what a taker works on
/// detection:{imageQueue}:lease:TAKER        string  the lease; expires unless renewed
/// detection:{imageQueue}:takers             set     takers that may hold items
/// detection:{imageQueue}:returns            hash    SHA-1 of an item → how often its taker died; expires an hour after the last
/// </code>
/// </summary>
internal sealed class LegacyQueue(IDatabase redis, RedisKeys keys, LegacyQueueOptions options, string taker)
{
    private const int MaxReturns = 3;

    private static readonly string TakeScript = Script("take");
    private static readonly string AnswerScript = Script("answer");
    private static readonly string ReturnScript = Script("return");

    private readonly RedisKey _queue = options.Queue;
    private readonly RedisKey _takers = keys.Legacy(options.Queue, "takers");
    private readonly RedisKey _returns = keys.Legacy(options.Queue, "returns");

    /// <summary>Says that this taker lives.</summary>
    public async Task RenewAsync()
    {
        await redis.SetAddAsync(_takers, taker);
        await redis.StringSetAsync(Lease(taker), "", options.Lease);
    }

    /// <summary>Takes up to <paramref name="most"/> of the oldest items; <see langword="null"/> when the lease has ended.</summary>
    public async Task<RedisValue[]?> TakeAsync(int most)
    {
        var reply = await redis.ScriptEvaluateAsync(TakeScript, [Lease(taker), _queue, Taken(taker)], [most]);
        return reply.IsNull ? null : (RedisValue[])reply!;
    }

    /// <summary>Answers an item where its front end looks, and lets go of it.</summary>
    /// <returns>Whether it could be answered: under its key stands nothing of another kind.</returns>
    public async Task<bool> AnswerAsync(RedisValue item, string imageKey, ReadOnlyMemory<byte> base64)
    {
        var answered = true;
        try
        {
            await redis.ScriptEvaluateAsync(AnswerScript, [imageKey], [base64, (long)options.ResultExpiry.TotalMilliseconds]);
        }
        catch (RedisServerException e) when (e.Message.Contains("WRONGTYPE", StringComparison.Ordinal))
        {
            answered = false;
        }

        await DropAsync(item);
        return answered;
    }

    /// <summary>Lets go of an item without an answer.</summary>
    public Task DropAsync(RedisValue item) => redis.ListRemoveAsync(Taken(taker), item, -1);

    /// <summary>Puts back what dead takers held.</summary>
    /// <returns>Items put back, and items given up because their takers died too often.</returns>
    public async Task<(int Back, int Dropped)> RecoverAsync()
    {
        var (back, dropped) = (0, 0);
        foreach (var other in await redis.SetMembersAsync(_takers))
        {
            if (other != taker)
            {
                var (b, d) = await ReturnAsync(other!, MaxReturns);
                back += b;
                dropped += d;
            }
        }

        return (back, dropped);
    }

    /// <summary>Puts back what this taker still holds, and leaves.</summary>
    public async Task LeaveAsync()
    {
        await redis.KeyDeleteAsync(Lease(taker));
        await ReturnAsync(taker, 0);
    }

    private async Task<(int Back, int Dropped)> ReturnAsync(string of, int most)
    {
        var reply = (int[])(await redis.ScriptEvaluateAsync(ReturnScript, [Lease(of), _queue, Taken(of), _takers, _returns], [of, most]))!;
        return (reply[0], reply[1]);
    }

    private RedisKey Lease(string of) => keys.Legacy(options.Queue, "lease:" + of);

    private RedisKey Taken(string of) => keys.Legacy(options.Queue, "taken:" + of);

    private static string Script(string name) => EmbeddedScript.Read(typeof(LegacyQueue), name);
}
