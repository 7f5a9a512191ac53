using Detection.Contracts.Requests;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>
/// Encoded pictures as Redis strings (<see cref="RedisKeys.Picture"/>). They use a separate connection and few are transferred at once, so that on a
/// slow link no command waits behind them, and each transfer ends soon. The time limit of a transfer depends on its size. An embedded cluster stores
/// pictures in its picture memory instead, under the same keys.
/// </summary>
/// <param name="connections">The connections of the process.</param>
/// <param name="keys">Keys of the cluster in Redis.</param>
/// <param name="options">Number of concurrent transfers, and the slowest link that is allowed.</param>
/// <param name="time">Clock of the timeouts.</param>
/// <param name="kept">How long pictures of accepted requests are kept: a setting of silos. Clients accept no requests.</param>
#pragma warning disable CA1001 // The semaphores have nothing to dispose of as long as their wait handles are not used.
public sealed class PictureStore(
    RedisConnections connections, RedisKeys keys, IOptions<PictureTransferOptions> options, TimeProvider time, IOptions<PictureOptions>? kept = null)
#pragma warning restore CA1001
{
    /// <summary>
    /// How long a picture is stored before its request is accepted. After that it is kept for <see cref="PictureOptions.Expiry"/>, which is longer,
    /// so the remaining time of a picture shows whether it belongs to an accepted request.
    /// </summary>
    public static readonly TimeSpan UnacceptedExpiry = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the picture of a known result is kept after it was sent again, so that it can be drawn. The client sets this expiry, and does not
    /// know the silos' setting.
    /// </summary>
    public static readonly TimeSpan KnownExpiry = new PictureOptions().Expiry;

    /// <summary>The timeout of the Redis library on the connection for pictures. The limits of this class are nearly always shorter.</summary>
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
    /// The encoded picture. It must not change before the task has completed successfully; when the task fails, the picture may still be read later
    /// and must not be reused.
    /// </param>
    /// <param name="caller">
    /// The caller whose share of a picture memory it uses; <see langword="null"/> for a caller without a name. Redis has no such share.
    /// </param>
    /// <param name="cancellationToken">Ends the wait; a transfer that has started continues.</param>
    /// <exception cref="RedisException">
    /// Redis cannot be reached or refuses the write; see <see cref="RedisConnection.IsFull"/> and <see cref="RedisConnection.IsShareUsed"/>.
    /// </exception>
    /// <exception cref="RedisTimeoutException">The transfer takes longer than its size allows.</exception>
    public Task StoreAsync(string imageKey, ReadOnlyMemory<byte> picture, string? caller = null, CancellationToken cancellationToken = default) =>
        TransferAsync(
            _writes,
            pictures => _terms.StoreAsync(pictures, imageKey, picture, caller),
            (_, patience) => Task.FromResult(patience + TimeFor(picture.Length)),
            cancellationToken);

    /// <summary>Reads a picture; <see langword="null"/> when it is not stored any more. Dispose it after use.</summary>
    /// <param name="imageKey">Its key.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    /// <exception cref="RedisTimeoutException">The transfer takes longer than its size allows.</exception>
    public Task<Lease<byte>?> ReadAsync(string imageKey, CancellationToken cancellationToken = default) =>
        TransferAsync(
            _reads,
            pictures => pictures.StringGetLeaseAsync(keys.Picture(imageKey)),
            async (reading, patience) =>
            {
                if (await IsOverAsync(reading, patience, cancellationToken))
                {
                    return TimeSpan.Zero;
                }

                // The transfer is slow or large. The other connection returns the size, and shows whether Redis answers at all.
                var commands = await connections.ConnectForPictureCommandsAsync();
                return TimeFor(await commands.GetDatabase().StringLengthAsync(keys.Picture(imageKey)));
            },
            cancellationToken);

    /// <summary>Whether a picture is stored.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task<bool> ContainsAsync(string imageKey) => await (await DatabaseAsync()).KeyExistsAsync(keys.Picture(imageKey));

    /// <summary>
    /// Keeps a picture for a request that is accepted, until the request has ended or the picture expires.
    /// <see langword="false"/> when it is not stored, or not any more.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="ended">Whether the request has ended already: the picture is kept to be drawn.</param>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task<bool> KeepAsync(RequestKey request, bool ended = false) =>
        _terms.KeepAsync(request.ImageKey, kept?.Value.Expiry ?? KnownExpiry, ended ? null : request.ToString());

    /// <summary>Keeps a picture that no request needs, so that an administrator can look at it.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    internal Task<bool> KeepDeadLetterAsync(string imageKey, TimeSpan expiry) => _terms.KeepAsync(imageKey, expiry, request: null);

    /// <summary>Time until a picture expires; <see langword="null"/> when it is not stored any more.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    internal async Task<TimeSpan?> TimeLeftAsync(string imageKey) => await (await DatabaseAsync()).KeyTimeToLiveAsync(keys.Picture(imageKey));

    /// <summary>A request has ended: its picture may be evicted before it expires, when there is no room for others. Does not wait for an answer.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task ReleaseAsync(RequestKey request) => _terms.ReleaseAsync(request.ImageKey, request.ToString());

    /// <summary>Removes the picture of a request that was refused, unless one that was accepted needs it.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public Task RemoveUnacceptedAsync(string imageKey) => _terms.RemoveUnacceptedAsync(imageKey);

    /// <summary>Extends the expiry of the picture of a known result, so that it can be drawn. Does not wait for an answer.</summary>
    /// <param name="imageKey">Its key.</param>
    /// <param name="when">Depends on whether the silos' setting may keep it longer, or it was just stored.</param>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task KeepKnownAsync(string imageKey, ExpireWhen when) =>
        await (await DatabaseAsync()).KeyExpireAsync(keys.Picture(imageKey), KnownExpiry, when, CommandFlags.FireAndForget);

    /// <summary>Removes a stored value that is not the picture of its key. The picture is stored when it is sent again.</summary>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task RemoveAsync(string imageKey) => await (await DatabaseAsync()).KeyDeleteAsync(keys.Picture(imageKey));

    /// <summary>
    /// Closes the connection for pictures, which returned the bytes of another picture, and makes a new one. Its transfers fail as in an outage.
    /// </summary>
    /// <exception cref="RedisConnectionException">Redis cannot be reached.</exception>
    public async Task ReconnectAsync() => await connections.ReplaceForPicturesAsync(await connections.ConnectForPicturesAsync());

    private async ValueTask<IDatabase> DatabaseAsync() => (await connections.ConnectForPictureCommandsAsync()).GetDatabase();

    /// <summary>Transfers one picture when it is its turn.</summary>
    /// <param name="turns">The turns of its direction.</param>
    /// <param name="start">Starts the transfer.</param>
    /// <param name="limit">How long to wait for it; receives the transfer and the command timeout.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    private async Task<T> TransferAsync<T>(
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
                    // No transfer has completed since then: the connection may be dead without being closed.
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

    /// <summary>A transfer whose caller has left keeps its turn until it ends, because it occupies the connection.</summary>
    private static async Task LeaveAsync<T>(Task<T> transfer, SemaphoreSlim turns)
    {
        try
        {
            (await transfer as IDisposable)?.Dispose();
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) || e is ObjectDisposedException)
        {
            // The caller of the transfer has got the error.
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
