using System.Security.Cryptography;
using Detection.Contracts.Requests;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Sharing;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>
/// Delivers webhooks. Every silo with a secret has one, and all look into the same set in Redis: whoever claims a webhook first handles
/// it, and one whose handler died comes up again when its claim ends. It sleeps until the next is due or a request ends.
/// It is registered after Orleans and so stops before it, while grains can still be called.
/// </summary>
internal sealed partial class WebhookDeliverer(
    WebhookStore store,
    WebhookSender sender,
    WebhookSigner signer,
    WebhookBodies bodies,
    WebhookMetrics metrics,
    IGrainFactory grains,
    IOptions<WebhookOptions> options,
    IOptions<ResultOptions> results,
    ClusterClock time,
    ILogger<WebhookDeliverer> logger) : BackgroundService
{
    /// <summary>How soon a request that has not ended is looked at again, should nobody tell of its end.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>Longest sleep: the safety net under lost wake-ups.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ShortestSleep = TimeSpan.FromMilliseconds(20);

    /// <summary>What handling a webhook takes besides the attempt.</summary>
    private static readonly TimeSpan LeaseMargin = TimeSpan.FromSeconds(15);

    private readonly WebhookOptions _options = options.Value;
    private readonly WakeSignal _wake = new();
    private readonly SharedPlaces _places = new(options.Value.MaxConcurrency, options.Value.CallerShare, siteShare: 1);
    private volatile bool _claims;

    /// <summary>Whether it has claimed a webhook and has not handled it yet.</summary>
    public bool IsDelivering => _claims || _places.Held > 0;

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _wake.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!signer.CanSign)
        {
            return;
        }

        metrics.Started();
        IAsyncDisposable? subscription = null;
        try
        {
            while (true)
            {
                var sleep = PollInterval;
                try
                {
                    subscription ??= await store.SubscribeAsync(_wake.Set);
                    sleep = await StartDueAsync(stoppingToken);
                }
                catch (Exception e) when (RedisConnection.IsOutage(e))
                {
                    LogUnavailable(e.Message);
                }
#pragma warning disable CA1031 // An unforeseen error of one round must not end the host; the next round tries again.
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    LogRoundFailed(e, sleep);
                }

                await _wake.WaitAsync(sleep, stoppingToken);
            }
        }
        finally
        {
            // They were cancelled, and give back what they hold.
            while (_places.Held > 0)
            {
                await _wake.WaitAsync(ShortestSleep, CancellationToken.None);
            }

            if (subscription is not null)
            {
                await subscription.DisposeAsync();
            }
        }
    }

    /// <summary>Starts what is due, as far as there are places.</summary>
    /// <returns>How long to sleep.</returns>
    private async Task<TimeSpan> StartDueAsync(CancellationToken stoppingToken)
    {
        var held = _places.HeldByCaller();
        var free = _options.MaxConcurrency - held.Values.Sum();
        if (free == 0)
        {
            // Woken when a place gets free.
            return PollInterval;
        }

        var claim = await ClaimAsync(free, held, stoppingToken);
        var next = claim.NextDue is { } due && claim.Items.Count < free ? due - time.GetUtcNow() : PollInterval;
        return next < ShortestSleep ? ShortestSleep : next < PollInterval ? next : PollInterval;
    }

    private async Task<WebhookClaim> ClaimAsync(int free, IReadOnlyDictionary<string, int> held, CancellationToken stoppingToken)
    {
        _claims = true;
        try
        {
            var claim = await store.ClaimAsync(free, _options.Timeout + LeaseMargin, held);
            metrics.Waiting(claim.Waiting);
            foreach (var claimed in claim.Items)
            {
                // More may be free than a moment ago, never less: who claims is this loop alone.
                _ = HandleAsync(claimed, _places.TryEnter(claimed.Webhook.Caller, site: null), stoppingToken);
            }

            return claim;
        }
        finally
        {
            _claims = false;
        }
    }

    private async Task HandleAsync(ClaimedWebhook claimed, IDisposable? place, CancellationToken stoppingToken)
    {
        try
        {
            await Task.Yield();
            await DeliverAsync(claimed, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await GiveBackAsync(claimed);
        }
        catch (Exception e)
        {
            // Redis is away, or a defect: it comes up again when its claim ends.
            LogInterrupted(e, claimed.Webhook.Key.ImageKey);
        }
        finally
        {
            place?.Dispose();
            _wake.Set();
        }
    }

    private async Task DeliverAsync(ClaimedWebhook claimed, CancellationToken stoppingToken)
    {
        var webhook = claimed.Webhook;
        if (time.GetUtcNow() >= webhook.GiveUpAt)
        {
            await GiveUpAsync(claimed, "its time is over");
            return;
        }

        if (claimed.Payload is null)
        {
            if (await WriteAsync(claimed, stoppingToken) is not { } written)
            {
                return;
            }

            claimed = written;
        }

        var reply = await sender.SendAsync(webhook, claimed.Payload!, stoppingToken);
        switch (reply.Kind)
        {
            case WebhookReplyKind.NotNow:
                metrics.Held();
                await store.PostponeAsync(claimed, time.GetUtcNow() + LookAgain, attempted: false);
                break;
            case WebhookReplyKind.Delivered:
                if (await store.DeliveredAsync(webhook, results.Value.Expiry))
                {
                    metrics.Delivered();
                    LogDelivered(webhook.Key.ImageKey, webhook.Id, claimed.Attempts);
                }

                break;
            case WebhookReplyKind.Refused:
                await GiveUpAsync(claimed, reply.Reason);
                break;
            default:
                await RetryAsync(claimed, reply);
                break;
        }
    }

    /// <summary>Finds out how the request ended and keeps what is to be said of it.</summary>
    /// <returns>The webhook to be sent; <see langword="null"/> when there is nothing to be done now.</returns>
    private async Task<ClaimedWebhook?> WriteAsync(ClaimedWebhook claimed, CancellationToken stoppingToken)
    {
        var webhook = claimed.Webhook;
        if (await LookAsync(webhook.Key, stoppingToken) is not { } end)
        {
            await store.PostponeAsync(claimed, time.GetUtcNow() + LookAgain);
            return null;
        }

        if (end.Status == RequestStatus.Unknown && time.GetUtcNow() > webhook.Deadline + LookAgain)
        {
            await GiveUpAsync(claimed, "its request is not known (any more)");
            return null;
        }

        if (!end.IsFinal || bodies.Write(webhook, end) is not { } payload)
        {
            await store.PostponeAsync(claimed, time.GetUtcNow() + LookAgain);
            return null;
        }

        return await store.WriteAsync(claimed, payload, end.Status != RequestStatus.Done)
            ? claimed with { Payload = payload, Attempts = 1 }
            : null;
    }

    private async Task<RequestSnapshot?> LookAsync(RequestKey key, CancellationToken stoppingToken)
    {
        try
        {
            return await grains.GetGrain<IRequestGrain>(key.ToString()).Watch(null, TimeSpan.Zero, stoppingToken);
        }
        catch (Exception e) when (e is TimeoutException or OrleansException
            || (e is OperationCanceledException && !stoppingToken.IsCancellationRequested))
        {
            LogNotSeen(key.ImageKey, e.Message);
            return null;
        }
    }

    private async Task RetryAsync(ClaimedWebhook claimed, WebhookReply reply)
    {
        var pause = Pause(claimed.Attempts, reply.RetryAfter);
        var due = time.GetUtcNow() + pause;
        if (claimed.Attempts >= _options.MaxAttempts || due >= claimed.Webhook.GiveUpAt)
        {
            await GiveUpAsync(claimed, reply.Reason);
            return;
        }

        metrics.Retried();
        LogRetry(claimed.Webhook.Key.ImageKey, claimed.Webhook.Id, claimed.Attempts, reply.Reason, pause);
        await store.PostponeAsync(claimed, due);
    }

    /// <summary>The pause after an attempt: it doubles, and a random part of up to a half keeps receivers from being met by all at once.</summary>
    private TimeSpan Pause(int attempts, TimeSpan? retryAfter)
    {
        var pause = _options.FirstPause * Math.Pow(2, attempts - 1) * (1 - (RandomNumberGenerator.GetInt32(0, 500) / 1000.0));
        pause = retryAfter > pause ? retryAfter.Value : pause;
        return pause < _options.LongestPause ? pause : _options.LongestPause;
    }

    private async Task GiveUpAsync(ClaimedWebhook claimed, string reason)
    {
        if (await store.GiveUpAsync(claimed))
        {
            metrics.GivenUp();
            LogGivenUp(claimed.Webhook.Key.ImageKey, claimed.Webhook.Id, claimed.Attempts, reason);
        }
    }

    /// <summary>This silo stops: another one is to go on at once. The receiver may get it twice, with the same id.</summary>
    private async Task GiveBackAsync(ClaimedWebhook claimed)
    {
        try
        {
            await store.PostponeAsync(claimed, time.GetUtcNow(), wake: true);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            LogUnavailable(e.Message);
        }
    }

    [LoggerMessage(LogLevel.Debug, "{ImageKey}: webhook {Id} delivered at attempt {Attempt}")]
    private partial void LogDelivered(string imageKey, string id, int attempt);

    [LoggerMessage(LogLevel.Debug, "{ImageKey}: attempt {Attempt} of webhook {Id} failed, the next is in {Pause}: {Reason}")]
    private partial void LogRetry(string imageKey, string id, int attempt, string reason, TimeSpan pause);

    [LoggerMessage(LogLevel.Warning, "{ImageKey}: webhook {Id} given up after {Attempts} attempts: {Reason}")]
    private partial void LogGivenUp(string imageKey, string id, int attempts, string reason);

    [LoggerMessage(LogLevel.Warning, "{ImageKey}: the delivery of its webhook was interrupted; it is taken up again")]
    private partial void LogInterrupted(Exception exception, string imageKey);

    [LoggerMessage(LogLevel.Debug, "{ImageKey}: its webhook waits, nobody can say where the request stands: {Reason}")]
    private partial void LogNotSeen(string imageKey, string reason);

    [LoggerMessage(LogLevel.Error, "Looking for webhooks that are due failed; trying again in {Delay}")]
    private partial void LogRoundFailed(Exception exception, TimeSpan delay);

    [LoggerMessage(LogLevel.Debug, "Webhooks wait, Redis cannot be reached: {Reason}")]
    private partial void LogUnavailable(string reason);
}
