using System.Buffers;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Detection.Contracts.Storage;
using Orleans.Serialization;
using StackExchange.Redis;

namespace Detection.Grains.Results;

/// <summary>Results in Redis, in the format of the Orleans serializer. They are written when a batcher settles.</summary>
public sealed class ResultCache(IConnectionMultiplexer redis, RedisKeys keys, Serializer<DetectionResult> serializer)
{
    /// <summary>Reads a result; <see langword="null"/> when there is none (any more).</summary>
    public async Task<DetectionResult?> FindAsync(RequestKey key)
    {
        using var lease = await redis.GetDatabase().StringGetLeaseAsync(keys.Result(key));
        return lease is null ? null : serializer.Deserialize(lease.Memory);
    }

    /// <summary>Writes a result in the form that <see cref="FindAsync"/> reads.</summary>
    public void Serialize(DetectionResult result, IBufferWriter<byte> output) => serializer.Serialize(result, output);
}
