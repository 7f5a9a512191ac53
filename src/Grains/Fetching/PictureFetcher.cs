using System.Net;
using System.Net.Sockets;
using Detection.Contracts.Fetching;
using Detection.Contracts.Pictures;
using Detection.Contracts.Sharing;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Fetching;

/// <summary>Fetches pictures from URLs and puts them into the picture store. There is one per silo, which limits the silo's fetches.</summary>
internal sealed class PictureFetcher(
    GuardedHttp http,
    EgressGuard guard,
    PictureStore store,
    ImageKeys keys,
    IOptions<FetchOptions> options,
    FetchMetrics metrics,
    TimeProvider time,
    ILogger<PictureFetcher> logger) : IDisposable
{
    private const int FirstBuffer = 256 * 1024;

    private readonly FetchOptions _options = options.Value;
    private readonly HttpMessageInvoker _http = new(http, disposeHandler: false);
    private readonly SharedPlaces _places = metrics.Watch(
        new SharedPlaces(options.Value.MaxConcurrency, options.Value.CallerShare, options.Value.SiteShare));

    /// <summary>
    /// Places for pictures whose buffers are not pooled. Each place stands for a picture of the maximum size; together they use an eighth of the
    /// memory that the process may use. There are at least two.
    /// </summary>
    private readonly SharedPlaces _large = new(
        (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8 / options.Value.MaxBytes, 2, Math.Max(2, options.Value.MaxConcurrency)),
        options.Value.CallerShare,
        siteShare: 1);

    /// <summary>Fetches <paramref name="url"/> within <paramref name="budget"/> or the configured time, whichever is shorter.</summary>
    /// <param name="url">Where the picture is.</param>
    /// <param name="budget">Time left until the caller's deadline.</param>
    /// <param name="caller">
    /// The caller, whose share of the fetches is used, and who owns the image key; <see langword="null"/> for a caller without a name.
    /// </param>
    /// <param name="cancellationToken">The caller has left.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="RedisException">The picture was fetched but could not be stored.</exception>
    public async Task<FetchOutcome> FetchAsync(Uri url, TimeSpan budget, string? caller, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var limit = budget < _options.Timeout ? budget : _options.Timeout;
        FetchOutcome outcome;
        try
        {
            outcome = limit > TimeSpan.Zero ? await FetchWithinAsync(url, limit, caller, cancellationToken) : TimedOut();
        }
        catch (Exception)
        {
            metrics.Ended(null, time.GetElapsedTime(started));
            throw;
        }

        metrics.Ended(outcome.Status, time.GetElapsedTime(started));
        return outcome;
    }

    public void Dispose() => _http.Dispose();

    private async Task<FetchOutcome> FetchWithinAsync(Uri url, TimeSpan limit, string? caller, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await FollowAsync(url, caller, ended.Token);
        }
        catch (Exception e) when (EgressRefusedException.In(e) is { } refusal)
        {
            logger.Refused(Name(url), refusal.Message);
            return new FetchOutcome(FetchStatus.NotAllowed, Message: refusal.PublicMessage) { IsFinal = true };
        }
        catch (RedisServerException e) when (RedisConnection.IsShareUsed(e))
        {
            logger.NoMemory(Name(url), e.Message);
            return new FetchOutcome(FetchStatus.ShareUsed, Message: "Your pictures that wait take so much memory that your share of the memory for pictures is used.");
        }
        catch (NoPlaceException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (NoPlaceException e)
        {
            logger.NoPlace(Name(url), e.Message);
            metrics.NoPlace(e.Limit);
            return new FetchOutcome(e.Limit switch
            {
                PlaceLimit.Caller => FetchStatus.ShareUsed,
                PlaceLimit.Site => FetchStatus.NotReachable,
                _ => FetchStatus.Busy,
            }, Message: e.Message);
        }
        catch (Exception e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested && IsRemoteError(e))
        {
            logger.TimedOut(Name(url), limit);
            return TimedOut();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsRemoteError(e))
        {
            logger.NotReachable(Name(url), e);
            return NotReachable("The address could not be reached.");
        }
    }

    private async Task<FetchOutcome> FollowAsync(Uri url, string? caller, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ; redirects++)
        {
            // Each address of a redirect takes a new place, and is a site of its own. No place is held while a name is resolved.
            var addresses = await ResolveAsync(url, caller, cancellationToken);
            using var place = await EnterAsync(_places, caller, addresses.Site, cancellationToken);
            using var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = HttpVersion.Version11 };
            GuardedHttp.ConnectTo(request, addresses);
            request.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
            request.Headers.TryAddWithoutValidation("Accept", "image/*,*/*;q=0.5");
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");

            using var response = await _http.SendAsync(request, cancellationToken);
            if (!IsRedirect(response.StatusCode))
            {
                return response.StatusCode == HttpStatusCode.OK
                    ? await StoreAsync(url, response, caller, cancellationToken)
                    : NotReachable($"The address answered with status {(int)response.StatusCode}.") with { IsFinal = IsFinal(response.StatusCode) };
            }

            if (redirects == _options.MaxRedirects)
            {
                return NotReachable("The address redirects too often.");
            }

            // The raw text, because the typed header reads "/path" differently on each operating system.
            if (!response.Headers.NonValidated.TryGetValues("Location", out var locations)
                || !Uri.TryCreate(url, locations.First(), out var next))
            {
                return NotReachable("The address redirects to nowhere.");
            }

            if (url.Scheme == Uri.UriSchemeHttps && next.Scheme == Uri.UriSchemeHttp)
            {
                return new FetchOutcome(FetchStatus.NotAllowed, Message: "The address redirects from https to http.");
            }

            url = next;
        }
    }

    private async Task<OpenAddresses> ResolveAsync(Uri url, string? caller, CancellationToken cancellationToken)
    {
        try
        {
            return await guard.ResolveAsync(url, caller, cancellationToken);
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            throw new HttpRequestException("The name could not be resolved.", e);
        }
    }

    private static async Task<IDisposable> EnterAsync(SharedPlaces places, string? caller, string? site, CancellationToken cancellationToken)
    {
        try
        {
            return await places.EnterAsync(caller, site, cancellationToken);
        }
        catch (OperationCanceledException) when (places.Limit(caller, site) is not PlaceLimit.None and var limit)
        {
            throw new NoPlaceException(limit);
        }
    }

    private async Task<FetchOutcome> StoreAsync(Uri url, HttpResponseMessage response, string? caller, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > _options.MaxBytes)
        {
            return TooLarge(url);
        }

        if (response.Content.Headers.ContentEncoding.Any(encoding => !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            return NotReachable("The address answered with an encoding that was not asked for.");
        }

        // Grows with the bytes that have arrived, not with the announced length, so that a slow response uses little memory.
        var buffer = PictureBuffers.Rent(Math.Min(FirstBuffer, _options.MaxBytes + 1));
        IDisposable? large = null;
        var length = 0;
        var isOurs = true;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            for (int read; (read = await body.ReadAsync(buffer.AsMemory(length), cancellationToken)) > 0;)
            {
                length += read;
                if (length > _options.MaxBytes)
                {
                    return TooLarge(url);
                }

                if (length == buffer.Length)
                {
                    var size = (int)Math.Min(length * 2L, _options.MaxBytes + 1L);
                    if (size > PictureBuffers.LargestPooled)
                    {
                        large ??= await EnterAsync(_large, caller, site: null, cancellationToken);
                    }

                    buffer = PictureBuffers.Grow(buffer, length, size);
                }
            }

            if (length == 0)
            {
                return NotReachable("The address answered with no bytes.");
            }

            var imageKey = keys.Of(buffer.AsSpan(0, length), caller);

            // A write that timed out may still be sent: the buffer is left to it, and to the garbage collector.
            isOurs = false;
            await store.StoreAsync(imageKey, buffer.AsMemory(0, length), caller, CancellationToken.None).WaitAsync(cancellationToken);
            isOurs = true;
            return new FetchOutcome(FetchStatus.Stored, imageKey);
        }
        finally
        {
            large?.Dispose();
            if (isOurs)
            {
                PictureBuffers.Return(buffer);
            }
        }
    }

    private FetchOutcome TooLarge(Uri url)
    {
        logger.TooLarge(Name(url), _options.MaxBytes);
        return new FetchOutcome(FetchStatus.TooLarge, Message: $"The picture has more than {_options.MaxBytes} bytes.");
    }

    /// <summary>Whether an answer says that there is no such picture, or none for us; others may be different the next time.</summary>
    private static bool IsFinal(HttpStatusCode status) =>
        (int)status is >= 400 and < 500 and not ((int)HttpStatusCode.RequestTimeout or (int)HttpStatusCode.TooManyRequests);

    private static FetchOutcome NotReachable(string message) => new(FetchStatus.NotReachable, Message: message);

    private static FetchOutcome TimedOut() => new(FetchStatus.TimedOut, Message: "The picture was not fetched in time.");

    private static bool IsRedirect(HttpStatusCode status) =>
        status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private static bool IsRemoteError(Exception e) => e is HttpRequestException or IOException or OperationCanceledException;

    /// <summary>The time was over before a place was free.</summary>
    private sealed class NoPlaceException(PlaceLimit limit) : Exception(limit switch
    {
        PlaceLimit.Caller => "Your share of the fetches is used: your other URLs were not fetched before the time for this one was over.",
        PlaceLimit.Site => "The site's share of the fetches is used: other URLs of this site were not fetched before the time for this one was over.",
        _ => "The server reached its limit of concurrent fetches.",
    })
    {
        public PlaceLimit Limit { get; } = limit;
    }

    // Path and query are not logged: they may contain secrets.
    private static string Name(Uri url) => url.IsAbsoluteUri ? url.GetLeftPart(UriPartial.Scheme) + EgressGuard.HostOf(url) + ":" + url.Port : "(relative)";
}
