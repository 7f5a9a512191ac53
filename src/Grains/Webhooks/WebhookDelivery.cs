using System.Security.Cryptography;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>Delivers one claimed webhook: writes its content once its request has ended, sends it, and retries later or abandons it.</summary>
internal sealed partial class WebhookDelivery(
    WebhookStore store,
    WebhookContent content,
    WebhookSender sender,
    WebhookMetrics metrics,
    IOptions<WebhookOptions> options,
    IOptions<ResultOptions> results,
    ClusterClock time,
    ILogger<WebhookDeliverer> logger)
{
    private readonly WebhookOptions _options = options.Value;
    private readonly ILogger _logger = logger;

    /// <summary>Does the next step of a webhook.</summary>
    public async Task DeliverAsync(ClaimedWebhook claimed, CancellationToken stoppingToken)
    {
        var webhook = claimed.Webhook;
        if (time.GetUtcNow() >= webhook.GiveUpAt)
        {
            await GiveUpAsync(claimed, "its maximum age was reached");
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
                await store.PostponeAsync(claimed, time.GetUtcNow() + WebhookDeliverer.LookAgain, attempted: false);
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

    /// <summary>Finds out how the request ended and stores the content of the webhook.</summary>
    /// <returns>The webhook to send; <see langword="null"/> when there is nothing to do now.</returns>
    private async Task<ClaimedWebhook?> WriteAsync(ClaimedWebhook claimed, CancellationToken stoppingToken)
    {
        var webhook = claimed.Webhook;
        if (await content.LookAsync(webhook.Key, stoppingToken) is not { } end)
        {
            await store.PostponeAsync(claimed, time.GetUtcNow() + WebhookDeliverer.LookAgain);
            return null;
        }

        if (end.Status == RequestStatus.Unknown && time.GetUtcNow() > webhook.Deadline + WebhookDeliverer.LookAgain)
        {
            await GiveUpAsync(claimed, "its request is unknown");
            return null;
        }

        if (!end.IsFinal || content.Write(webhook, end) is not { } payload)
        {
            await store.PostponeAsync(claimed, time.GetUtcNow() + WebhookDeliverer.LookAgain);
            return null;
        }

        return await store.WriteAsync(claimed, payload, end.Status != RequestStatus.Done)
            ? claimed with { Payload = payload, Attempts = 1 }
            : null;
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

    /// <summary>The pause after an attempt: it doubles, minus a random part of up to a half, so that retries do not reach receivers all at once.</summary>
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

    [LoggerMessage(11, LogLevel.Debug, "{ImageKey}: webhook {Id} delivered at attempt {Attempt}.")]
    private partial void LogDelivered(string imageKey, string id, int attempt);

    [LoggerMessage(12, LogLevel.Debug, "{ImageKey}: attempt {Attempt} of webhook {Id} failed; retrying in {Pause}: {Reason}")]
    private partial void LogRetry(string imageKey, string id, int attempt, string reason, TimeSpan pause);

    [LoggerMessage(13, LogLevel.Warning, "{ImageKey}: webhook {Id} abandoned after {Attempts} attempts: {Reason}")]
    private partial void LogGivenUp(string imageKey, string id, int attempts, string reason);
}
