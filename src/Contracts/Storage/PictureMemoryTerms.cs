using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>
/// A picture memory knows which requests need a picture, and which callers sent it. When it is full it evicts pictures that no request needs any
/// more. Each caller has a share of it.
/// </summary>
internal sealed class PictureMemoryTerms(RedisConnections connections, RedisKeys keys) : IPictureTerms
{
    public async Task<bool> StoreAsync(IDatabase pictures, string imageKey, ReadOnlyMemory<byte> picture, string? caller) =>
        !(await pictures.ExecuteAsync(
            PictureMemoryCommands.Store,
            keys.Picture(imageKey),
            (long)PictureStore.UnacceptedExpiry.TotalMilliseconds,
            caller ?? "",
            picture)).IsNull;

    public async Task<bool> KeepAsync(string imageKey, TimeSpan expiry, string? request) => (bool)await (await DatabaseAsync()).ExecuteAsync(
        PictureMemoryCommands.Keep, keys.Picture(imageKey), (long)expiry.TotalMilliseconds, request ?? "");

    public async Task ReleaseAsync(string imageKey, string request) => await (await DatabaseAsync()).ExecuteAsync(
        PictureMemoryCommands.Release, [keys.Picture(imageKey), request], CommandFlags.FireAndForget);

    public async Task RemoveUnacceptedAsync(string imageKey) => await (await DatabaseAsync()).ExecuteAsync(
        PictureMemoryCommands.RemoveUnaccepted, keys.Picture(imageKey));

    private async ValueTask<IDatabase> DatabaseAsync() => (await connections.ConnectForPictureCommandsAsync()).GetDatabase();
}
