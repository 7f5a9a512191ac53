using System.Buffers;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Microsoft.Extensions.Logging;
using Orleans.Serialization;
using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>
/// Results in Redis, in the format of the Orleans serializer, under <see cref="RedisKeys.Result"/>. The scripts of the queue write them when a
/// batcher settles.
/// </summary>
/// <param name="connections">The connections of the process.</param>
/// <param name="keys">Keys of the cluster in Redis.</param>
/// <param name="serializer">Reads and writes results.</param>
/// <param name="logger">For its messages.</param>
public sealed partial class ResultStore(
    RedisConnections connections, RedisKeys keys, Serializer<DetectionResult> serializer, ILogger<ResultStore> logger)
{
    private static readonly string DiscardScript = EmbeddedScript.Read(typeof(ResultStore), "discard");

    /// <summary>Reads a result; <see langword="null"/> when there is none, it has expired, or it is not readable.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task<DetectionResult?> FindAsync(RequestKey key)
    {
        using var lease = await (await DatabaseAsync()).StringGetLeaseAsync(keys.Result(key));
        return lease is null ? null : TryRead(key, lease.Memory);
    }

    /// <summary>
    /// As <see cref="FindAsync"/>, for a silo, which computes missing results. A result that is not readable is removed, because it would prevent the
    /// picture from being processed again.
    /// </summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task<DetectionResult?> FindOrDiscardAsync(RequestKey key)
    {
        var database = await DatabaseAsync();
        using var lease = await database.StringGetLeaseAsync(keys.Result(key));
        if (lease is null)
        {
            return null;
        }

        var result = TryRead(key, lease.Memory);
        if (result is null)
        {
            LogUnreadable(key.Item, lease.Length);
            await database.ScriptEvaluateAsync(DiscardScript, [keys.Result(key)], [lease.Memory]);
        }

        return result;
    }

    /// <summary>Reads a result and, in the same round trip, whether its item is in the queue or being processed.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task<(DetectionResult? Result, bool IsUnderWay)> LookAsync(RequestKey key)
    {
        var found = await (await DatabaseAsync()).StringGetAsync([keys.Result(key), keys.Item(key)]);
        return (found[0].IsNull ? null : TryRead(key, (ReadOnlyMemory<byte>)found[0]), !found[1].IsNull);
    }

    /// <summary>Writes a result in the form that <see cref="FindAsync"/> reads.</summary>
    public void Serialize(DetectionResult result, IBufferWriter<byte> output) => serializer.Serialize(result, output);

    /// <summary>
    /// The result, or <see langword="null"/> when the bytes are not a result of this request: they are cut off, overwritten, or in the format of
    /// another version of this program.
    /// </summary>
    private DetectionResult? TryRead(in RequestKey key, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return serializer.Deserialize(bytes) is { Boxes: not null } result && result.Model == key.Model ? result : null;
        }
        catch (Exception)
        {
            // Invalid bytes can cause any exception in a serializer.
            return null;
        }
    }

    private async ValueTask<IDatabase> DatabaseAsync() => (await connections.ConnectAsync()).GetDatabase();

    [LoggerMessage(1, LogLevel.Warning, "{Item}: the cached result of {Length} bytes is not readable; it was deleted, and the picture is processed again.")]
    private partial void LogUnreadable(string item, int length);
}
