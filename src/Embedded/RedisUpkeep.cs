using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Embedded;

/// <summary>
/// Makes the embedded Redis-compatible server evict only cached results. Its memory is a ring: each write moves the end forward, and the end
/// overwrites any data. So each time a part of the ring was written, this service reads everything except the results, which moves it away from the
/// end. The data that is read may use one part of the ring; above that, new requests are refused until there is less.
/// </summary>
internal sealed partial class RedisUpkeep(
    EmbeddedStores stores, EmbeddedOptions options, IConnectionMultiplexer redis, RedisKeys keys, TimeProvider time, ILogger<RedisUpkeep> logger) : BackgroundService
{
    private const int KeysAtOnce = 200;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly string CarryScript = EmbeddedScript.Read(typeof(RedisUpkeep), "carry");

    private readonly long _part = (long)options.RedisMemoryMegabytes * 1024 * 1024 / 4;
    private long _carriedAt;
    private bool _isFull;

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Pause, time, logger).RunAsync(LookAsync, reason => LogFailed(reason, Pause), stoppingToken);

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var (written, objects) = stores.Redis.Measure();
        if (written - _carriedAt < _part && objects < _part && !_isFull)
        {
            return;
        }

        var carried = await CarryAsync(cancellationToken);
        _carriedAt = stores.Redis.Measure().Written;
        var isFull = carried > _part;
        if (isFull != _isFull)
        {
            _isFull = isFull;
            stores.Pictures.IsClosed = isFull;
            if (isFull)
            {
                LogFull(carried >> 20, _part >> 20);
            }
            else
            {
                LogRoom();
            }
        }
    }

    /// <summary>Reads everything that must not be evicted, and returns its size in bytes.</summary>
    private async Task<long> CarryAsync(CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase();
        var batch = new List<RedisKey>(KeysAtOnce);
        var answers = new List<(RedisKey Key, long Bytes, long Left)>();
        var carried = 0L;
        await foreach (var key in redis.GetServers()[0].KeysAsync(pattern: "*", pageSize: 1000).WithCancellation(cancellationToken))
        {
            if (keys.IsResult(key!))
            {
                continue;
            }

            batch.Add(key);
            if (batch.Count == KeysAtOnce)
            {
                carried += await ReadAsync(database, batch, answers);
            }
        }

        carried += await ReadAsync(database, batch, answers);
        await DropAnswersAsync(database, answers);
        return carried;
    }

    private async Task<long> ReadAsync(IDatabase database, List<RedisKey> batch, List<(RedisKey Key, long Bytes, long Left)> answers)
    {
        if (batch.Count == 0)
        {
            return 0;
        }

        var reply = (RedisResult[])(await database.ScriptEvaluateAsync(CarryScript, [.. batch], [keys.Prefix]))!;
        batch.Clear();
        for (var i = 1; i + 2 < reply.Length; i += 3)
        {
            answers.Add(((string)reply[i]!, (long)reply[i + 1], (long)reply[i + 2]));
        }

        return (long)reply[0];
    }

    /// <summary>
    /// Answers to the front end of the replaced system are pictures, and must not use so much of the ring that other data is overwritten: the oldest
    /// are removed once they take more than half a part.
    /// </summary>
    private async Task DropAnswersAsync(IDatabase database, List<(RedisKey Key, long Bytes, long Left)> answers)
    {
        var bytes = answers.Sum(static answer => answer.Bytes);
        var dropped = answers.OrderBy(static answer => answer.Left).TakeWhile(answer =>
        {
            var goes = bytes > _part / 2;
            bytes -= answer.Bytes;
            return goes;
        }).Select(static answer => answer.Key).ToArray();
        if (dropped.Length > 0)
        {
            await database.KeyDeleteAsync(dropped);
            LogAnswersDropped(dropped.Length);
        }
    }

    [LoggerMessage(1, LogLevel.Warning,
        "Queues, webhooks and request state take {Carried} MiB of the embedded server, more than {Most} MiB; new requests are refused. Raise Detection:Embedded:RedisMemoryMegabytes.")]
    private partial void LogFull(long carried, long most);

    [LoggerMessage(2, LogLevel.Information, "The embedded server has room again; new requests are accepted.")]
    private partial void LogRoom();

    [LoggerMessage(3, LogLevel.Warning, "Memory maintenance of the embedded server failed; retrying in {Pause}: {Reason}")]
    private partial void LogFailed(string reason, TimeSpan pause);

    [LoggerMessage(4, LogLevel.Warning, "Answers to the legacy front end exceeded their memory; the {Count} oldest were removed.")]
    private partial void LogAnswersDropped(int count);
}
