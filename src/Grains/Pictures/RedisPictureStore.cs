using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Pictures;

/// <summary>Pictures as Redis strings, see <see cref="RedisKeys.Picture"/>.</summary>
internal sealed class RedisPictureStore(IConnectionMultiplexer redis, RedisKeys keys, IOptions<PictureOptions> options) : IPictureStore
{
    /// <inheritdoc/>
    /// <exception cref="RedisException">Redis cannot be reached or refuses the write.</exception>
    public Task StoreAsync(string imageKey, ReadOnlyMemory<byte> picture) =>
        redis.GetDatabase().StringSetAsync(keys.Picture(imageKey), picture, options.Value.Expiry);
}
