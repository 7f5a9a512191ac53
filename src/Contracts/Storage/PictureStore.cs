using Detection.Contracts.Requests;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>
/// Encoded pictures as Redis strings (<see cref="RedisKeys.Picture"/>). They travel on a connection of their own and few at a time, so that
/// on a slow link nothing else waits behind them, and each arrives soon after it was begun. How long a transfer may take depends on its size.
/// In an embedded cluster they lie in its picture memory instead, under the same keys.
/// </summary>
/// <param name="connections">The process' connections.</param>
/// <param name="keys">Where the cluster lies in Redis.</param>
/// <param name="options">How many travel at once, and how slow the link may be.</param>
/// <param name="time">Clock of the timeouts.</param>
/// <param name="kept">How long pictures of accepted requests are kept: a silo's setting. Clients accept no requests.</param>
#pragma warning disable CA1001 // The semaphores have nothing to dispose of as long as their wait handles are not used.
public sealed class PictureStore(
    RedisConnections connections, RedisKeys keys, IOptions<PictureTransferOptions> options, TimeProvider time, IOptions<PictureOptions>? kept = null)
#pragma warning restore CA1001
{
    /// <summary>
    /// A client stores a picture for this long before it submits the request. Once a request with it is accepted it is kept for <see cref="PictureOptions.Expiry"/>;
    /// that is longer, so that what is left of a picture's time tells whether it belongs to an accepted request.
    /// </summary>
    public static readonly TimeSpan UnacceptedExpiry = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The picture of a known result is kept for so long after it was sent again, so that it can be drawn. The client does so, which does not
    /// know the silos' setting.
    /// </summary>
    public static readonly TimeSpan KnownExpiry = new PictureOptions().Expiry;

    /// <summary>The library's own timeout on the connection for pictures; the store's ends are nearly always sooner.</summary>
    internal static readonly TimeSpan LongestTransfer = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _writes = new(options.Value.MaxAtOnce);
    private readonly SemaphoreSlim _reads = new(options.Value.MaxAtOnce);
    private readonly IPictureTerms _terms = connections.HasPictureMemory
        ? new PictureMemoryTerms(connections, keys)
        : new RedisPictureTerms(connections, keys);

    private int _completed;

    /// <summary>
    /// Stores a picture unless it is there. It expires after <see cref="UnacceptedExpiry"/> unless a request that needs it is
    /// accepted.
    /// </summary>
    /// <param name="imageKey">SHA-256 of <paramref name="picture"/>, 64 lower-case hex digits.</param>
    /// <param name="picture">
    /// The encoded picture. It must not change before the task has ended well; when the task fails, it may still be read later
    /// and must not be used again.
    /// </param>
    /// <param name="caller">
    /// Whose share of a picture memory it takes; <see langword="null"/> for a caller without a name. Redis has no such share.
    /// </param>
    /// <param name="cancellationToken">Ends the wait; a transfer that has begun goes on.</param>
    /// <exception cref="RedisException">
    /// Redis cannot be reached or refuses the write; see <see cref="RedisConnection.IsFull"/> and <see cref="RedisConnection.IsShareUsed"/>.
    /// </exception>
    /// <exception cref="RedisTimeoutException">The transfer takes longer than its size allows.</exception>
    public Task StoreAsync(string imageKey, ReadOnlyMemory<byte> picture, string? caller = null, CancellationToken cancellationToken = default) =>
        CarryAsync(
            _writes,
            pictures => _terms.StoreAsync(pictures, imageKey, picture, caller),
            (_, patience) => Task.FromResult(patience + TimeFor(picture.Length)),
            cancellationToken);

    /// <summary>Reads a picture; <see langword="null"/> when it is not kept any more. Dispose of it after use.</summary>
    /// <param name="imageKey">Its key.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    /// <exception cref="RedisTimeoutException">The transfer takes longer than its size allows.</exception>
    public Task<Lease<byte>?> ReadAsync(string imageKey, CancellationToken cancellationToken = default) =>
        CarryAsync(
            _reads,
            pictures => pictures.StringGetLeaseAsync(keys.Picture(imageKey)),
            async (reading, patience) =>
            {
                if (await IsOverAsync(reading, patience, cancellationToken))
                {
                    return TimeSpan.Zero;
                }

                // It is slow or large. The other connection tells how large, and at the same time whether Redis is there at all.
                var commands = await connections.ConnectForPictureCommandsAsync();
                return TimeFor(await commands.GetDatabase().StringLengthAsync(keys.Picture(imageKey)));
            },
            cancellationToken);

    /// <summary>Whether a picture is kept.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task<bool> ContainsAsync(string imageKey) => await (await DatabaseAsync()).KeyExistsAsync(keys.Picture(imageKey));

    /// <summary>
    /// Keeps a picture for a request that is accepted, until the request has ended or the picture expires.
    /// <see langword="false"/> when it is not there (any more).
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="ended">Whether the request has ended already: the picture is kept to be drawn.</param>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task<bool> KeepAsync(RequestKey request, bool ended = false) =>
        _terms.KeepAsync(request.ImageKey, kept?.Value.Expiry ?? KnownExpiry, ended ? null : request.ToString());

    /// <summary>A request has ended: its picture may go before it expires where there is no room for others. Waits for no answer.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task ReleaseAsync(RequestKey request) => _terms.ReleaseAsync(request.ImageKey, request.ToString());

    /// <summary>Removes the picture of a request that was refused, unless one that was accepted needs it.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task RemoveUnacceptedAsync(string imageKey) => _terms.RemoveUnacceptedAsync(imageKey);

    /// <summary>Keeps the picture of a known result for another while, so that it can be drawn. Waits for no answer.</summary>
    /// <param name="imageKey">Its key.</param>
    /// <param name="when">Whether the silos' setting may keep it for longer, or it was just stored.</param>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task KeepKnownAsync(string imageKey, ExpireWhen when) =>
        await (await DatabaseAsync()).KeyExpireAsync(keys.Picture(imageKey), KnownExpiry, when, CommandFlags.FireAndForget);

    /// <summary>Removes what is kept under a key: it is not the picture of that key, which is stored when it is sent again.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task RemoveAsync(string imageKey) => await (await DatabaseAsync()).KeyDeleteAsync(keys.Picture(imageKey));

    /// <summary>
    /// Ends the connection for pictures and makes a new one: it gave the bytes of another picture. What travels on it fails as in an outage.
    /// </summary>
    /// <exception cref="RedisConnectionException">Redis cannot be reached.</exception>
    public async Task ReconnectAsync() => await connections.ReplaceForPicturesAsync(await connections.ConnectForPicturesAsync());

    private async ValueTask<IDatabase> DatabaseAsync() => (await connections.ConnectForPictureCommandsAsync()).GetDatabase();

    /// <summary>Carries one picture in its turn.</summary>
    /// <param name="turns">The turns of its direction.</param>
    /// <param name="start">Begins the transfer.</param>
    /// <param name="limit">How long to wait for it; gets the transfer and the time that any command may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    private async Task<T> CarryAsync<T>(
        SemaphoreSlim turns, Func<IDatabase, Task<T>> start, Func<Task, TimeSpan, Task<TimeSpan>> limit, CancellationToken cancellationToken)
    {
        await turns.WaitAsync(cancellationToken);
        Task<T>? transfer = null;
        try
        {
            var connection = await connections.ConnectForPicturesAsync();
            var completed = Volatile.Read(ref _completed);
            transfer = start(connection.GetDatabase());
            try
            {
                var patience = transfer.IsCompleted ? TimeSpan.Zero : await limit(transfer, connections.CommandTimeout);
                var result = transfer.IsCompleted ? await transfer : await transfer.WaitAsync(patience, time, cancellationToken);
                Interlocked.Increment(ref _completed);
                return result;
            }
            catch (TimeoutException e) when (e is not RedisTimeoutException)
            {
                if (Volatile.Read(ref _completed) == completed)
                {
                    // Nothing has come through since: the connection may be dead without having ended.
                    await connections.ReplaceForPicturesAsync(connection);
                }

                throw new RedisTimeoutException(CommandFlags.None, "A picture took longer to or from Redis than its size allows.", CommandStatus.Sent);
            }
        }
        finally
        {
            if (transfer is null or { IsCompleted: true })
            {
                turns.Release();
            }
            else
            {
                _ = LeaveAsync(transfer, turns);
            }
        }
    }

    /// <summary>A transfer whose caller has left keeps its turn while it occupies the connection.</summary>
    private static async Task LeaveAsync<T>(Task<T> transfer, SemaphoreSlim turns)
    {
        try
        {
            (await transfer as IDisposable)?.Dispose();
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) || e is ObjectDisposedException)
        {
            // The caller that waited for it has got the error.
        }
        finally
        {
            turns.Release();
        }
    }

    private TimeSpan TimeFor(long bytes) => TimeSpan.FromSeconds((double)options.Value.MaxAtOnce * bytes / options.Value.MinBytesPerSecond);

    private async Task<bool> IsOverAsync(Task transfer, TimeSpan patience, CancellationToken cancellationToken)
    {
        await transfer.WaitAsync(patience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return transfer.IsCompleted;
    }
}
