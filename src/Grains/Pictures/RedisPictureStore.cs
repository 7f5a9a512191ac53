using Detection.Contracts.Storage;
using Detection.Grains.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Pictures;

/// <summary>Pictures as Redis strings, see <see cref="RedisKeys.Picture"/>.</summary>
internal sealed class RedisPictureStore(
    PictureStore store, IConnectionMultiplexer redis, RedisKeys keys, IOptions<PictureOptions> options) : IPictureStore
{
    private static readonly string RemoveScript = EmbeddedScript.Read(typeof(RedisPictureStore), "remove");

    /// <inheritdoc/>
    /// <exception cref="RedisException">Redis cannot be reached or refuses the write.</exception>
    public Task StoreAsync(string imageKey, ReadOnlyMemory<byte> picture) =>
        store.StoreAsync(imageKey, picture);

    /// <inheritdoc/>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task<bool> KeepAsync(string imageKey) => redis.GetDatabase().KeyExpireAsync(keys.Picture(imageKey), options.Value.Expiry);

    /// <inheritdoc/>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task RemoveAsync(string imageKey) => redis.GetDatabase().ScriptEvaluateAsync(
        RemoveScript, [keys.Picture(imageKey)], [(long)StoredPicture.UnacceptedExpiry.TotalMilliseconds]);
}
