using System.Net.Sockets;
using System.Security.Cryptography;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Fetching;
using Detection.Objects;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>The outcome of registering a request's webhook.</summary>
/// <param name="Refusal">The answer when the request must not be accepted; <see langword="null"/> when the webhook was registered.</param>
/// <param name="New">The webhook, unless it was known before.</param>
internal readonly record struct WebhookIntakeResult(RequestSnapshot? Refusal, Webhook? New);

/// <summary>
/// Registers the webhooks of requests. A webhook is in Redis before its request is accepted, so that no accepted one is lost. It is removed when the
/// request is refused. If the request was never accepted because its silo died in between, the webhook is dropped later.
/// </summary>
internal sealed partial class WebhookIntake(
    WebhookStore store,
    WebhookSigner signer,
    EgressGuard guard,
    IOptions<WebhookOptions> options,
    ClusterClock time,
    ILogger<WebhookIntake> logger)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private static readonly RequestSnapshot NotConfigured = Refused("This server sends no webhooks: its silos have no secret to sign them with (Detection:Webhooks:Secret).");

    // The same sentence for every refusal, which reveals nothing about the internal network.
    private static readonly RequestSnapshot NotAllowed = Refused(
        "The webhook URL is not allowed. Use http or https, a port and a network that the server's settings open, and no user name.");

    /// <summary>Registers a webhook.</summary>
    /// <exception cref="StackExchange.Redis.RedisException">Redis cannot be reached.</exception>
    public async Task<WebhookIntakeResult> RegisterAsync(RequestKey key, WebhookTerms terms, TimeSpan budget, string? caller)
    {
        if (!signer.CanSign)
        {
            return new(NotConfigured, null);
        }

        if (!await IsOpenAsync(terms.Url, caller))
        {
            return new(NotAllowed, null);
        }

        var now = time.GetUtcNow();
        var deadline = now + budget;
        var id = $"msg_{RandomNumberGenerator.GetHexString(32, lowercase: true)}";
        var webhook = new Webhook(id, key, terms.Url, terms.Choice, now, deadline, deadline + options.Value.MaxAge, caller);
        return await store.RegisterAsync(webhook, now + WebhookDeliverer.LookAgain) switch
        {
            WebhookOutcome.TakenOn => new(null, webhook),
            WebhookOutcome.Known => default,
            WebhookOutcome.ShareUsed => new(new RequestSnapshot(RequestStatus.WebhookShareUsed, RetryAfter: RetryAfter), null),
            _ => new(new RequestSnapshot(RequestStatus.WebhooksFull, RetryAfter: RetryAfter), null),
        };
    }

    /// <summary>A request with webhooks has ended. If this message is lost, the deliverer finds the webhooks a little later.</summary>
    public async Task EndedAsync(RequestKey key)
    {
        try
        {
            await store.EndedAsync(key);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            LogUnavailable(key.Item, e.Message);
        }
    }

    /// <summary>The request of a webhook was not accepted.</summary>
    public async Task UnregisterAsync(WebhookIntakeResult taken)
    {
        try
        {
            if (taken.New is { } webhook)
            {
                await store.UnregisterAsync(webhook);
            }
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            LogUnavailable(taken.New!.Key.Item, e.Message);
        }
    }

    private async Task<bool> IsOpenAsync(Uri url, string? caller)
    {
        try
        {
            await guard.ResolveAsync(url, caller, CancellationToken.None);
            return true;
        }
        catch (EgressRefusedException e)
        {
            LogRefused(e.Message);
            return false;
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            // The host cannot be resolved now. The guard checks it again at each attempt to connect, and that check decides.
            return true;
        }
    }

    private static RequestSnapshot Refused(string message) =>
        new(RequestStatus.WebhookRefused, Failure: new RequestFailure(FailureReason.WebhookRefused, message));

    [LoggerMessage(1, LogLevel.Warning, "Webhook refused: {Reason}")]
    private partial void LogRefused(string reason);

    [LoggerMessage(2, LogLevel.Debug, "{Item}: marking its webhooks as due failed; the deliverer finds them within 5 s: {Reason}")]
    private partial void LogUnavailable(string item, string reason);
}
