using Detection.Contracts.Fetching;
using Microsoft.Extensions.Logging;

namespace Detection.Client;

/// <summary>Has silos fetch the pictures at URLs.</summary>
internal sealed class UrlPictures(ClientConnections connections, ModelLookup models, TimeProvider time, ILogger<DetectionClient> logger)
{
    private static readonly TimeSpan FetchRetry = TimeSpan.FromSeconds(2);

    /// <summary>Runs a request for the picture at a URL, which is fetched again when it has expired meanwhile.</summary>
    /// <param name="attempt">The request.</param>
    /// <param name="url">Where the picture is.</param>
    /// <param name="request">Gets the picture's key; <see langword="null"/> when the picture has expired.</param>
    public async Task<T> WithFetchedAsync<T>(Attempt attempt, Uri url, Func<string, Task<T?>> request)
        where T : class
    {
        await models.RequireSameImageKeysAsync(attempt);
        while (true)
        {
            if (await request(await FetchAsync(attempt, url)) is { } answer)
            {
                return answer;
            }

            logger.LogFetchAgain(attempt.ImageKey, url.Host);
            await attempt.BackOffAsync();
        }
    }

    private async Task<string> FetchAsync(Attempt attempt, Uri url)
    {
        while (true)
        {
            attempt.ThrowIfOver();
            FetchOutcome outcome;
            try
            {
                var grains = await connections.Cluster.GetGrainsAsync(attempt.Token);
                outcome = await grains.GetGrain<IPictureFetchGrain>(0).Fetch(url, attempt.Left, attempt.Options.Caller, attempt.Token).WaitAsync(attempt.Left, time, attempt.Token);
            }
            catch (Exception e) when (attempt.CanRetry(e))
            {
                logger.LogRetry(url.Host, e.GetType().Name, e.Message);
                await attempt.BackOffAsync();
                continue;
            }

            return outcome.Status switch
            {
                FetchStatus.Stored => outcome.ImageKey!,
                FetchStatus.NotAllowed => throw attempt.Error(DetectionError.UrlNotAllowed, outcome.Message!),
                FetchStatus.ShareUsed => throw attempt.Error(DetectionError.ShareUsed, outcome.Message!, FetchRetry),
                FetchStatus.Busy => throw attempt.Error(DetectionError.Busy, outcome.Message!, FetchRetry),
                FetchStatus.TooLarge => throw attempt.Error(DetectionError.TooLarge, outcome.Message!),
                _ => throw attempt.Error(DetectionError.UrlNotReachable, outcome.Message!),
            };
        }
    }
}
