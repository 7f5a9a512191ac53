using Detection.Contracts.Fetching;
using Detection.Objects;
using Microsoft.Extensions.Logging;

namespace Detection.Client;

/// <summary>Lets silos fetch the pictures at URLs.</summary>
internal sealed class UrlPictures(ClientConnections connections, ModelLookup models, TimeProvider time, ILogger<DetectionClient> logger)
{
    private static readonly TimeSpan FetchRetry = TimeSpan.FromSeconds(2);

    /// <summary>Runs a request for the picture at a URL. When the picture has expired meanwhile, fetches it again.</summary>
    /// <param name="operation">The request.</param>
    /// <param name="url">Where the picture is.</param>
    /// <param name="request">Gets the picture's key; <see langword="null"/> when the picture has expired.</param>
    public async Task<T> WithFetchedAsync<T>(ClientOperation operation, Uri url, Func<string, Task<T?>> request)
        where T : class
    {
        await models.RequireSameImageKeysAsync(operation);
        while (true)
        {
            if (await request(await FetchAsync(operation, url)) is { } answer)
            {
                return answer;
            }

            logger.LogFetchAgain(operation.ImageKey, url.Host);
            await operation.BackOffAsync();
        }
    }

    private async Task<string> FetchAsync(ClientOperation operation, Uri url)
    {
        while (true)
        {
            operation.ThrowIfCancelled();
            FetchOutcome outcome;
            try
            {
                var grains = await connections.Cluster.GetGrainsAsync(operation.Token);
                outcome = await grains.GetGrain<IPictureFetchGrain>(0).Fetch(url, operation.Left, operation.Options.Caller, operation.Token).WaitAsync(operation.Left, time, operation.Token);
            }
            catch (Exception e) when (operation.CanRetry(e))
            {
                logger.LogRetry(url.Host, e.GetType().Name, e.Message);
                await operation.BackOffAsync();
                continue;
            }

            return outcome.Status switch
            {
                FetchStatus.Stored => outcome.ImageKey!,
                FetchStatus.NotAllowed => throw operation.Error(FailureReason.UrlNotAllowed, outcome.Message!),
                FetchStatus.ShareUsed => throw operation.Error(FailureReason.ShareUsed, outcome.Message!, FetchRetry),
                FetchStatus.Busy => throw operation.Error(FailureReason.Busy, outcome.Message!, FetchRetry),
                FetchStatus.TooLarge => throw operation.Error(FailureReason.TooLarge, outcome.Message!),
                _ => throw operation.Error(FailureReason.UrlNotReachable, outcome.Message!),
            };
        }
    }
}
