using System.Buffers;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Contracts.Pictures;

namespace Detection.Client;

/// <summary>The client of a cluster. Its calls are idempotent: it retries after failures of single machines until the deadline.</summary>
internal sealed class DetectionClient(
    OperationRunner operations,
    ClientConnections connections,
    ModelCatalog catalog,
    ModelLookup models,
    RequestConversation requests,
    UrlPictures urls,
    PictureReader pictures) : IDetectionClient, IClusterReports
{
    public async Task<DetectionAnswer> DetectAsync(ReadOnlyMemory<byte> picture, DetectionOptions? options, CancellationToken cancellationToken)
    {
        var imageKey = pictures.KeyOf(picture, options?.Caller);
        return await operations.RunAsync(options, imageKey, async operation => (await requests.DetectAsync(operation, imageKey, picture))!, cancellationToken, counts: true)
            .ConfigureAwait(false);
    }

    public async Task<DetectionAnswer> DetectAsync(Stream picture, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var (buffer, length) = await pictures.ReadAsync(picture, cancellationToken).ConfigureAwait(false);
        var answer = await DetectAsync(buffer.AsMemory(0, length), options, cancellationToken).ConfigureAwait(false);

        // Not in a finally: after a failure the Redis client may still be sending from the buffer.
        PictureBuffers.Return(buffer);
        return answer;
    }

    public Task<DetectionAnswer> DetectAsync(Uri url, DetectionOptions? options, CancellationToken cancellationToken)
    {
        RequireAbsolute(url);
        return operations.RunAsync(
            options,
            null,
            operation => urls.WithFetchedAsync(operation, url, imageKey => requests.DetectAsync(operation, imageKey, default)),
            cancellationToken,
            counts: true);
    }

    public Task<DetectionTicket> SubmitAsync(
        ReadOnlyMemory<byte> picture, DetectionOptions? options, Uri? webhook, CancellationToken cancellationToken)
    {
        var imageKey = pictures.KeyOf(picture, options?.Caller);
        return operations.RunAsync(
            Submission(options), imageKey, async operation => (await requests.SubmitAsync(operation, imageKey, picture, webhook))!, cancellationToken, counts: true);
    }

    public Task<DetectionTicket> SubmitAsync(Uri url, DetectionOptions? options, Uri? webhook, CancellationToken cancellationToken)
    {
        RequireAbsolute(url);
        return operations.RunAsync(
            Submission(options),
            null,
            operation => urls.WithFetchedAsync(operation, url, imageKey => requests.SubmitAsync(operation, imageKey, default, webhook, url)),
            cancellationToken,
            counts: true);
    }

    public Task<DetectionTicket> GetStatusAsync(
        string imageKey, TimeSpan wait, DetectionStatus? known, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(imageKey);
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wait, DetectionOptions.MaxDeadline);

        // The operation may take the deadline and the wait together, up to MaxDeadline.
        var asking = options?.Deadline ?? operations.DefaultDeadline;
        var limit = asking + wait < DetectionOptions.MaxDeadline ? asking + wait : DetectionOptions.MaxDeadline;
        return operations.RunAsync(
            (options ?? new DetectionOptions()) with { Deadline = limit },
            imageKey,
            async operation => await MayReadAsync(operation, imageKey)
                ? await requests.WatchAsync(operation, imageKey, wait, known)
                : new DetectionTicket(imageKey, DetectionStatus.Unknown),
            cancellationToken);
    }

    public Task<DetectionAnswer?> FindAsync(string imageKey, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(imageKey);
        return operations.RunAsync(
            options,
            imageKey,
            async operation => await MayReadAsync(operation, imageKey) ? await requests.FindAsync(operation, imageKey) : null,
            cancellationToken);
    }

    public Task<IMemoryOwner<byte>?> FindPictureAsync(string imageKey, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(imageKey);
        return operations.RunAsync(
            options,
            imageKey,
            async operation => await MayReadAsync(operation, imageKey) ? await pictures.ReadAsync(imageKey, options?.Caller, operation.Token) : null,
            cancellationToken);
    }

    public async Task<IReadOnlyList<ModelInfo>> GetModelsAsync(CancellationToken cancellationToken)
    {
        var models = new SortedDictionary<string, ModelInfo>(StringComparer.Ordinal);
        foreach (var silo in await GetSilosAsync(cancellationToken).ConfigureAwait(false))
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
        cancellationToken.ThrowIfCancellationRequested();
        await connections.Cluster.ReachAsync(cancellationToken).ConfigureAwait(false);
        await operations.RunAsync(
            null,
            null,
            async operation =>
            {
                await models.RequireSameImageKeysAsync(operation);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<SiloReport>> GetSilosAsync(CancellationToken cancellationToken) =>
        operations.RunAsync(null, null, _ => catalog.ReadSilosAsync(), cancellationToken);

    public Task<IReadOnlyList<SiloHistory>> GetHistoriesAsync(CancellationToken cancellationToken) =>
        operations.RunAsync(null, null, _ => catalog.ReadHistoriesAsync(), cancellationToken);

    private static void RequireAbsolute(Uri url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.IsAbsoluteUri)
        {
            throw new ArgumentException("The URL must be absolute.", nameof(url));
        }
    }

    private static DetectionOptions Submission(DetectionOptions? options) =>
        (options ?? new DetectionOptions()) with { Deadline = options?.Deadline ?? DetectionOptions.MaxDeadline };

    /// <summary>Whether the caller may read what a key names.</summary>
    /// <exception cref="DetectionException">The silos make image keys with another secret, so the key cannot be checked.</exception>
    private async Task<bool> MayReadAsync(ClientOperation operation, string imageKey)
    {
        await models.RequireSameImageKeysAsync(operation);
        return pictures.MayRead(imageKey, operation.Options.Caller);
    }
}
