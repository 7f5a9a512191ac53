using Detection.Contracts.Requests;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>Pictures where <see cref="PictureStore"/> keeps them, for as long as the silo's settings say.</summary>
public sealed class RedisPictureStore(PictureStore store, IOptions<PictureOptions> options) : IPictureStore
{
    /// <inheritdoc/>
    /// <exception cref="RedisException">Redis cannot be reached or refuses the write.</exception>
    public Task StoreAsync(string imageKey, ReadOnlyMemory<byte> picture, string? caller) =>
        store.StoreAsync(imageKey, picture, caller);

    /// <inheritdoc/>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task<bool> KeepAsync(RequestKey request, bool ended = false) =>
        store.KeepAsync(request.ImageKey, options.Value.Expiry, ended ? null : request.ToString());

    /// <inheritdoc/>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task ReleaseAsync(RequestKey request) => store.ReleaseAsync(request.ImageKey, request.ToString());

    /// <inheritdoc/>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task RemoveAsync(string imageKey) => store.RemoveUnacceptedAsync(imageKey);
}
