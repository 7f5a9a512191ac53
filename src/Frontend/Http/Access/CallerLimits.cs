using System.Threading.RateLimiting;
using Detection.Contracts.Answers;
using Detection.Contracts.Sharing;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Access;

/// <summary>
/// Limits the requests per second of each key, and the concurrent requests of each key, of each caller (by its share) and of all callers, in
/// this process. Endpoints with <c>AllowAnonymous</c> are not counted.
/// </summary>
internal sealed class CallerLimits : IMiddleware, IDisposable
{
    private readonly TimeSpan _retryAfter;
    private readonly int _maxUploads;
    private readonly int _maxReads;
    private readonly int _maxReadsPerKey;
    private readonly TimeProvider _time;
    private readonly IProblemDetailsService _problems;
    private readonly SharedPlaces _uploads;
    private readonly SharedPlaces _reads;
    private readonly PartitionedRateLimiter<ApiKey> _readsByKey;

    // A key whose limits change gets a new partition; the limiter removes the old one once it is idle.
    private readonly PartitionedRateLimiter<ApiKey> _rates = PartitionedRateLimiter.Create<ApiKey, (string, double, int)>(static key =>
    {
        var partition = (key.Name, key.RequestsPerSecond, key.Burst);
        return key.RequestsPerSecond == 0
            ? RateLimitPartition.GetNoLimiter(partition)
            : RateLimitPartition.GetTokenBucketLimiter(partition, _ => Bucket(key));
    });

    private readonly PartitionedRateLimiter<ApiKey> _uploadsByKey = PartitionedRateLimiter.Create<ApiKey, (string, int)>(static key =>
    {
        var partition = (key.Name, key.MaxUploads);
        return key.MaxUploads == 0
            ? RateLimitPartition.GetNoLimiter(partition)
            : RateLimitPartition.GetConcurrencyLimiter(partition, _ => new ConcurrencyLimiterOptions { PermitLimit = key.MaxUploads });
    });

    public CallerLimits(IOptions<AccessOptions> options, IOptions<FrontendOptions> frontend, IProblemDetailsService problems, TimeProvider time)
    {
        (_retryAfter, _problems, _time) = (frontend.Value.RetryAfter, problems, time);
        (_maxUploads, _maxReads, _maxReadsPerKey) = (options.Value.MaxUploads, options.Value.MaxReads, options.Value.MaxReadsPerKey);
        _uploads = new SharedPlaces(_maxUploads, options.Value.CallerShare, siteShare: 1);
        _reads = new SharedPlaces(_maxReads, options.Value.CallerShare, siteShare: 1);
        _readsByKey = PartitionedRateLimiter.Create<ApiKey, string>(key => _maxReadsPerKey == 0
            ? RateLimitPartition.GetNoLimiter(key.Name)
            : RateLimitPartition.GetConcurrencyLimiter(key.Name, _ => new ConcurrencyLimiterOptions { PermitLimit = _maxReadsPerKey }));
    }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is not { } endpoint || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            await next(context);
            return;
        }

        var key = context.Features.Get<ApiKey>();
        if (key is not null)
        {
            using var turn = _rates.AttemptAcquire(key);
            if (!turn.IsAcquired)
            {
                var detail = $"Key '{key.Name}' exceeded its limit of {key.RequestsPerSecond} requests per second.";
                await _problems.WriteAsync(context, new ProblemException(ProblemType.RateLimited, detail) { RetryAfter = RetryAfter(turn) });
                return;
            }
        }

        var isUpload = HttpMethods.IsPost(context.Request.Method);
        var (all, each, what, full) = isUpload
            ? (_uploads, _uploadsByKey, "uploads", ProblemType.TooManyUploads)
            : (_reads, _readsByKey, "requests", ProblemType.TooManyReads);
        using var own = key is null ? null : each.AttemptAcquire(key);
        if (own is { IsAcquired: false })
        {
            var limit = isUpload ? key!.MaxUploads : _maxReadsPerKey;
            await _problems.WriteAsync(context, new ProblemException(ProblemType.RateLimited, $"Key '{key!.Name}' reached its limit of {limit} concurrent {what}."));
            return;
        }

        // The caller is known now, and takes a place of its own.
        context.Features.Get<EarlyPlace>()?.Place.Dispose();
        var caller = context.CallerOrAddress();
        using var place = all.TryEnter(caller, site: null);
        if (place is null)
        {
            await _problems.WriteAsync(context, Refusal(all, caller, isUpload ? _maxUploads : _maxReads, what, full));
            return;
        }

        await next(context);
    }

    /// <summary>
    /// Takes a place for an upload whose key is in its body: for the caller's address, until the key is known, or until the request ends without one.
    /// </summary>
    /// <exception cref="ProblemException">All places are taken, or the address holds its share.</exception>
    public void EnterEarly(HttpContext context)
    {
        var address = context.CallerOrAddress();
        var place = _uploads.TryEnter(address, site: null)
            ?? throw Refusal(_uploads, address, _maxUploads, "uploads", ProblemType.TooManyUploads);
        context.Response.RegisterForDispose(place);
        context.Features.Set(new EarlyPlace(place));
    }

    /// <summary>Waits until the key's rate allows one more picture of a batch: each picture counts as a request.</summary>
    public async ValueTask WaitForTurnAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Features.Get<ApiKey>() is not { } key)
        {
            return;
        }

        while (true)
        {
            using var turn = _rates.AttemptAcquire(key);
            if (turn.IsAcquired)
            {
                return;
            }

            await Task.Delay(RetryAfter(turn), _time, cancellationToken);
        }
    }

    public void Dispose()
    {
        _rates.Dispose();
        _uploadsByKey.Dispose();
        _readsByKey.Dispose();
    }

    private static ProblemException Refusal(SharedPlaces places, string caller, int limit, string what, ProblemType full) =>
        places.Limit(caller, site: null) == PlaceLimit.Caller
            ? new ProblemException(ProblemType.RateLimited, $"Your concurrent {what} reached your share of the server's {limit}. Wait until one has ended.")
            : new ProblemException(full, $"The server reached its limit of {limit} concurrent {what}.");

    private static TokenBucketRateLimiterOptions Bucket(ApiKey key) => new()
    {
        // The limiter adds tokens ten times a second. A bucket smaller than what it adds each time would lower the rate.
        TokenLimit = (int)Math.Max(key.Burst == 0 ? Math.Ceiling(key.RequestsPerSecond) : key.Burst, Math.Ceiling(key.RequestsPerSecond / 10)),
        TokensPerPeriod = 1,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1 / key.RequestsPerSecond),
    };

    private TimeSpan RetryAfter(RateLimitLease refused) =>
        refused.TryGetMetadata(MetadataName.RetryAfter, out var after) && after > TimeSpan.Zero ? after : _retryAfter;

    private sealed record EarlyPlace(IDisposable Place);
}
