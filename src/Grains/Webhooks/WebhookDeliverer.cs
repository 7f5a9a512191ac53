using Detection.Contracts.Scheduling;
using Detection.Contracts.Sharing;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>
/// Claims the webhooks that are due and has them delivered. Every silo with a secret has one, and all claim from the same set in Redis. A webhook
/// whose silo stopped is due again when its claim expires. It sleeps until the next webhook is due or a request ends. It is registered after Orleans
/// and so stops before it, while grains can still be called.
/// </summary>
internal sealed partial class WebhookDeliverer(
    WebhookStore store,
    WebhookSigner signer,
    WebhookDelivery delivery,
    WebhookMetrics metrics,
    IOptions<WebhookOptions> options,
    ClusterClock time,
    ILogger<WebhookDeliverer> logger) : BackgroundService
{
    /// <summary>How soon a request that has not ended is checked again, if no message reports its end.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>Longest sleep, in case a wake-up is lost.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan MinSleep = TimeSpan.FromMilliseconds(20);

    /// <summary>Time to handle a webhook besides the attempt itself.</summary>
    private static readonly TimeSpan LeaseMargin = TimeSpan.FromSeconds(15);

    private readonly WebhookOptions _options = options.Value;
    private readonly WakeSignal _wake = new();
    private readonly SharedPlaces _places = new(options.Value.MaxConcurrency, options.Value.CallerShare, siteShare: 1);
    private volatile bool _claims;

    /// <summary>Whether it has claimed a webhook that is not handled yet.</summary>
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
            // They were cancelled, and return their webhooks.
            while (_places.Held > 0)
            {
                await _wake.WaitAsync(MinSleep, CancellationToken.None);
            }

            if (subscription is not null)
            {
                await subscription.DisposeAsync();
            }
        }
    }

    /// <summary>Starts due webhooks while there are free places.</summary>
    /// <returns>How long to sleep.</returns>
    private async Task<TimeSpan> StartDueAsync(CancellationToken stoppingToken)
    {
        var held = _places.HeldByCaller();
        var free = _options.MaxConcurrency - held.Values.Sum();
        if (free == 0)
        {
            // It is woken when a place is free.
            return PollInterval;
        }

        var claim = await ClaimAsync(free, held, stoppingToken);
        var next = claim.NextDue is { } due && claim.Items.Count < free ? due - time.GetUtcNow() : PollInterval;
        return next < MinSleep ? MinSleep : next < PollInterval ? next : PollInterval;
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
                // Since the check, places may have become free but not taken: only this loop takes them.
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
            await delivery.DeliverAsync(claimed, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await GiveBackAsync(claimed);
        }
        catch (Exception e)
        {
            // Redis is unreachable, or there is a defect: the webhook is due again when its claim expires.
            LogInterrupted(e, claimed.Webhook.Key.ImageKey, claimed.Webhook.Id);
        }
        finally
        {
            place?.Dispose();
            _wake.Set();
        }
    }

    /// <summary>This silo stops: another one can continue at once. The receiver may get the webhook twice, with the same id.</summary>
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

    [LoggerMessage(1, LogLevel.Warning, "{ImageKey}: delivery of webhook {Id} failed with an unexpected error; it is retried when its claim expires.")]
    private partial void LogInterrupted(Exception exception, string imageKey, string id);

    [LoggerMessage(2, LogLevel.Error, "Claiming due webhooks failed; retrying in {Delay}.")]
    private partial void LogRoundFailed(Exception exception, TimeSpan delay);

    [LoggerMessage(3, LogLevel.Debug, "Due webhooks were not claimed because Redis does not answer; retrying when it does: {Reason}")]
    private partial void LogUnavailable(string reason);
}
