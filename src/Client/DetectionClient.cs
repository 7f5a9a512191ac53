using System.Buffers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Contracts.Pictures;

namespace Detection.Client;

/// <summary>
/// Asks the cluster. Everything it does may be repeated, so that it mends the failures of single machines by asking again, until
/// the deadline.
/// </summary>
internal sealed class DetectionClient(
    Attempts attempts,
    ClientConnections connections,
    ModelCatalog catalog,
    ModelLookup models,
    RequestConversation requests,
    UrlPictures urls,
    PictureReader pictures) : IDetectionClient
{
    public async Task<DetectionAnswer> DetectAsync(ReadOnlyMemory<byte> picture, DetectionOptions? options, CancellationToken cancellationToken)
    {
        var imageKey = pictures.KeyOf(picture, options?.Caller);
        return await attempts.RunAsync(options, imageKey, async attempt => (await requests.DetectAsync(attempt, imageKey, picture))!, cancellationToken, counts: true);
    }

    public async Task<DetectionAnswer> DetectAsync(Stream picture, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var (buffer, length) = await pictures.ReadAsync(picture, cancellationToken);
        var answer = await DetectAsync(buffer.AsMemory(0, length), options, cancellationToken);

        // Not in a finally: after a failure the Redis client may still be sending from the buffer.
        PictureBuffers.Return(buffer);
        return answer;
    }

    public Task<DetectionAnswer> DetectAsync(Uri url, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(url);
        return attempts.RunAsync(
            options,
            null,
            attempt => urls.WithFetchedAsync(attempt, url, imageKey => requests.DetectAsync(attempt, imageKey, default)),
            cancellationToken,
            counts: true);
    }

    public Task<DetectionTicket> SubmitAsync(
        ReadOnlyMemory<byte> picture, DetectionOptions? options, Uri? webhook, CancellationToken cancellationToken)
    {
        var imageKey = pictures.KeyOf(picture, options?.Caller);
        return attempts.RunAsync(
            Submission(options), imageKey, async attempt => (await requests.SubmitAsync(attempt, imageKey, picture, webhook))!, cancellationToken, counts: true);
    }

    public Task<DetectionTicket> SubmitAsync(Uri url, DetectionOptions? options, Uri? webhook, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(url);
        return attempts.RunAsync(
            Submission(options),
            null,
            attempt => urls.WithFetchedAsync(attempt, url, imageKey => requests.SubmitAsync(attempt, imageKey, default, webhook)),
            cancellationToken,
            counts: true);
    }

    public Task<DetectionTicket> GetStatusAsync(
        string imageKey, TimeSpan wait, DetectionStatus? known, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wait, DetectionOptions.MaxDeadline);

        // The deadline is for asking; the wait comes on top of it.
        var asking = options?.Deadline ?? attempts.DefaultDeadline;
        var limit = asking + wait < DetectionOptions.MaxDeadline ? asking + wait : DetectionOptions.MaxDeadline;
        return attempts.RunAsync(
            (options ?? new DetectionOptions()) with { Deadline = limit },
            imageKey,
            async attempt => await MayReadAsync(attempt, imageKey)
                ? await requests.WatchAsync(attempt, imageKey, wait, known)
                : new DetectionTicket(imageKey, DetectionStatus.Unknown),
            cancellationToken);
    }

    public Task<DetectionAnswer?> FindAsync(string imageKey, DetectionOptions? options, CancellationToken cancellationToken) =>
        attempts.RunAsync(
            options,
            imageKey,
            async attempt => await MayReadAsync(attempt, imageKey) ? await requests.FindAsync(attempt, imageKey) : null,
            cancellationToken);

    public Task<IMemoryOwner<byte>?> FindPictureAsync(string imageKey, DetectionOptions? options, CancellationToken cancellationToken) =>
        attempts.RunAsync(
            options,
            imageKey,
            async attempt => await MayReadAsync(attempt, imageKey) ? await pictures.ReadAsync(imageKey, options?.Caller, attempt.Token) : null,
            cancellationToken);

    public async Task<IReadOnlyList<ModelInfo>> GetModelsAsync(CancellationToken cancellationToken)
    {
        var models = new SortedDictionary<string, ModelInfo>(StringComparer.Ordinal);
        foreach (var silo in await GetSilosAsync(cancellationToken))
        {
            foreach (var model in silo.CurrentModels.Reverse())
            {
                models[model.Name] = model;
            }
        }

        return [.. models.Values];
    }

    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        await connections.Cluster.ReachAsync(cancellationToken);
        await attempts.RunAsync(
            null,
            null,
            async attempt =>
            {
                await models.RequireSameImageKeysAsync(attempt);
                return true;
            },
            cancellationToken);
    }

    public Task<IReadOnlyList<SiloReport>> GetSilosAsync(CancellationToken cancellationToken) =>
        attempts.RunAsync(null, null, _ => catalog.ReadSilosAsync(), cancellationToken);

    public Task<IReadOnlyList<SiloHistory>> GetHistoriesAsync(CancellationToken cancellationToken) =>
        attempts.RunAsync(null, null, _ => catalog.ReadHistoriesAsync(), cancellationToken);

    private static DetectionOptions Submission(DetectionOptions? options) =>
        (options ?? new DetectionOptions()) with { Deadline = options?.Deadline ?? DetectionOptions.MaxDeadline };

    /// <summary>Whether the caller may read what a key names.</summary>
    /// <exception cref="DetectionException">The silos name pictures in another way: nothing can be said of the key.</exception>
    private async Task<bool> MayReadAsync(Attempt attempt, string imageKey)
    {
        await models.RequireSameImageKeysAsync(attempt);
        return pictures.MayRead(imageKey, attempt.Options.Caller);
    }
}
