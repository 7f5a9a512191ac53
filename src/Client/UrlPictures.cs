using Detection.Contracts.Fetching;
using Detection.Objects;
using Microsoft.Extensions.Logging;

namespace Detection.Client;

/// <summary>Lets silos fetch the pictures at URLs.</summary>
internal sealed class UrlPictures(ClientConnections connections, ModelCatalog catalog, ModelLookup models, TimeProvider time, ILogger<DetectionClient> logger)
{
    private static readonly TimeSpan FetchRetry = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Key of the grain that fetches. Calls to one key go through one connection as long as it is open, even when its silo does not respond, so another
    /// key is used after a fetch was lost.
    /// </summary>
    private long _fetcher;

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
                outcome = await CallAsync(operation, url);
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

    /// <summary>
    /// Calls a silo that fetches. When the connection to a silo closes, it may be that one: then another silo is called as well, unless the call ends soon.
    /// </summary>
    /// <exception cref="TimeoutException">No call has ended although a silo would have ended the fetch by now.</exception>
    private async Task<FetchOutcome> CallAsync(ClientOperation operation, Uri url)
    {
        var grains = await connections.Cluster.GetGrainsAsync(operation.Token);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(operation.Token);
        List<Task<FetchOutcome>> calls = [];
        var fetcher = Volatile.Read(ref _fetcher);
        try
        {
            while (true)
            {
                var closed = connections.Cluster.NextClosed;
                calls.Add(grains.GetGrain<IPictureFetchGrain>(fetcher).Fetch(url, operation.Left, operation.Options.Caller, leaving.Token));
                var ended = Task.WhenAny(calls);
                await Task.WhenAny(ended, closed).WaitAsync(catalog.FetchTimeout + RequestConversation.CallGrace, time, operation.Token);
                await ((Task)ended).WaitAsync(RequestConversation.CallGrace, time, operation.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                operation.ThrowIfCancelled();
                if (ended.IsCompletedSuccessfully)
                {
                    return await await ended;
                }

                fetcher = LeaveFetcher(fetcher);
            }
        }
        catch (TimeoutException)
        {
            LeaveFetcher(fetcher);
            throw;
        }
        finally
        {
            // The calls that have not ended are of no use any more.
            calls.ForEach(static call => call.Ignore());
            await leaving.CancelAsync();
        }
    }

    /// <summary>Makes this process use another fetcher than <paramref name="fetcher"/>, and returns it.</summary>
    private long LeaveFetcher(long fetcher)
    {
        Interlocked.CompareExchange(ref _fetcher, fetcher + 1, fetcher);
        return Volatile.Read(ref _fetcher);
    }
}
