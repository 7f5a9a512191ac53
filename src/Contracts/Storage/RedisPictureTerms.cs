using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>
/// Pictures in Redis stay until they expire. The remaining time of a picture shows whether a request with it was accepted. Callers have no shares.
/// </summary>
internal sealed class RedisPictureTerms(RedisConnections connections, RedisKeys keys) : IPictureTerms
{
    private const string RemoveUnaccepted = """
        -- Removes a picture that no accepted request needs.
        -- KEYS  1 picture
        -- ARGV  1 in ms: of an accepted request it has more time left than this
        local left = redis.call('PTTL', KEYS[1])
        if left >= 0 and left <= tonumber(ARGV[1]) then
            redis.call('DEL', KEYS[1])
        end
        """;

    public Task<bool> StoreAsync(IDatabase pictures, string imageKey, ReadOnlyMemory<byte> picture, string? caller) =>
        pictures.StringSetAsync(keys.Picture(imageKey), picture, PictureStore.UnacceptedExpiry, When.NotExists);

    public async Task<bool> KeepAsync(string imageKey, TimeSpan expiry, string? request) =>
        await (await DatabaseAsync()).KeyExpireAsync(keys.Picture(imageKey), expiry);

    public Task ReleaseAsync(string imageKey, string request) => Task.CompletedTask;

    public async Task RemoveUnacceptedAsync(string imageKey) => await (await DatabaseAsync()).ScriptEvaluateAsync(
        RemoveUnaccepted, [keys.Picture(imageKey)], [(long)PictureStore.UnacceptedExpiry.TotalMilliseconds]);

    private async ValueTask<IDatabase> DatabaseAsync() => (await connections.ConnectForPictureCommandsAsync()).GetDatabase();
}
