using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Detection.Contracts.Sharing;
using Detection.Contracts.Storage;
using Detection.Grains.Fetching;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>The outcome of one attempt.</summary>
internal enum WebhookReplyKind
{
    /// <summary>The receiver has accepted it.</summary>
    Delivered,

    /// <summary>A later attempt may succeed.</summary>
    TryAgain,

    /// <summary>The receiver, or the egress guard, refuses it.</summary>
    Refused,

    /// <summary>No attempt was made: the limit of concurrent deliveries to the receiver is reached.</summary>
    NotNow,
}

/// <summary>The outcome of one attempt, and its reason.</summary>
/// <param name="Kind">The outcome.</param>
/// <param name="Reason">For the log.</param>
/// <param name="RetryAfter">When the receiver wants a retry, if it said so.</param>
internal readonly record struct WebhookReply(WebhookReplyKind Kind, string Reason, TimeSpan? RetryAfter = null);

/// <summary>Makes one attempt to deliver a webhook, through the egress guard. It follows no redirects and does not read the body of a response.</summary>
internal sealed class WebhookSender(
    GuardedHttp http, EgressGuard guard, WebhookSigner signer, IOptions<WebhookOptions> options, IOptions<FetchOptions> fetch, ClusterClock time) : IDisposable
{
    private const double ReceiverShare = 0.5;

    private readonly HttpMessageInvoker _http = new(http, disposeHandler: false);
    private readonly SharedPlaces _places = new(options.Value.MaxConcurrency, options.Value.CallerShare, ReceiverShare);

    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<WebhookReply> SendAsync(Webhook webhook, WebhookPayload payload, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.Value.Timeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            var addresses = await guard.ResolveAsync(webhook.Url, webhook.Caller, ended.Token);
            using var place = _places.TryEnter(webhook.Caller, addresses.Site);
            if (place is null)
            {
                return new(WebhookReplyKind.NotNow, "the limit of concurrent deliveries to this receiver is reached");
            }

            using var request = Request(webhook.Url, webhook.Id, payload);
            GuardedHttp.ConnectTo(request, addresses);
            using var response = await _http.SendAsync(request, ended.Token);
            return Judge(response);
        }
        catch (Exception e) when (EgressRefusedException.In(e) is { } refusal)
        {
            return new(WebhookReplyKind.Refused, refusal.Message);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new(WebhookReplyKind.TryAgain, "no answer in time");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or TimeoutException && !cancellationToken.IsCancellationRequested)
        {
            return new(WebhookReplyKind.TryAgain, e.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(Uri url, string id, WebhookPayload payload)
    {
        var timestamp = time.GetUtcNow().ToUnixTimeSeconds();
        var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Version = HttpVersion.Version11,
            Content = new ByteArrayContent(payload.Body) { Headers = { ContentType = new MediaTypeHeaderValue(payload.ContentType) } },
        };
        request.Headers.TryAddWithoutValidation("User-Agent", fetch.Value.UserAgent);
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("webhook-signature", signer.Sign(id, timestamp, payload.Body));
        return request;
    }

    private WebhookReply Judge(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        var reason = string.Create(CultureInfo.InvariantCulture, $"status {status}");
        return status switch
        {
            >= 200 and <= 299 => new(WebhookReplyKind.Delivered, reason),
            429 or >= 500 => new(WebhookReplyKind.TryAgain, reason, response.Headers.RetryAfter switch
            {
                { Delta: { } delta } => delta,
                { Date: { } date } => date - time.GetUtcNow(),
                _ => null,
            }),
            _ => new(WebhookReplyKind.Refused, reason),
        };
    }
}
