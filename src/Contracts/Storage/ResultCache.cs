using System.Buffers;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Microsoft.Extensions.Logging;
using Orleans.Serialization;
using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>Results in Redis, in the format of the Orleans serializer. They are written when a batcher settles.</summary>
public sealed partial class ResultCache(IConnectionMultiplexer redis, RedisKeys keys, Serializer<DetectionResult> serializer, ILogger<ResultCache> logger)
{
    private static readonly string DiscardScript = EmbeddedScript.Read(typeof(ResultCache), "discard");

    /// <summary>
    /// Reads a result; <see langword="null"/> when there is none (any more). One that cannot be read is removed: it would keep the
    /// picture from being looked at again.
    /// </summary>
    public async Task<DetectionResult?> FindAsync(RequestKey key)
    {
        var database = redis.GetDatabase();
        using var lease = await database.StringGetLeaseAsync(keys.Result(key));
        if (lease is null)
        {
            return null;
        }

        var result = StoredResult.TryRead(serializer, key, lease.Memory);
        if (result is null)
        {
            LogUnreadable(key.Item, lease.Length);
            await database.ScriptEvaluateAsync(DiscardScript, [keys.Result(key)], [lease.Memory]);
        }

        return result;
    }

    /// <summary>Writes a result in the form that <see cref="FindAsync"/> reads.</summary>
    public void Serialize(DetectionResult result, IBufferWriter<byte> output) => serializer.Serialize(result, output);

    [LoggerMessage(LogLevel.Warning, "{Item}: its result of {Length} bytes cannot be read and is removed; the picture is looked at again")]
    private partial void LogUnreadable(string item, int length);
}
