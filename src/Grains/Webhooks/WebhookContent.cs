using Detection.Contracts.Requests;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Webhooks;

/// <summary>Creates the content of webhooks.</summary>
internal sealed partial class WebhookContent(IGrainFactory grains, WebhookBodies bodies, ILogger<WebhookDeliverer> logger)
{
    private readonly ILogger _logger = logger;

    /// <summary>The content about the end of a request; <see langword="null"/> while the model's labels are not known.</summary>
    public WebhookPayload? Write(Webhook webhook, RequestSnapshot end) => bodies.Write(webhook, end);

    /// <summary>The state of a request; <see langword="null"/> when its grain cannot be asked now.</summary>
    public async Task<RequestSnapshot?> LookAsync(RequestKey key, CancellationToken stoppingToken)
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

    [LoggerMessage(21, LogLevel.Debug, "{ImageKey}: the state of the request is unknown; its webhook waits: {Reason}")]
    private partial void LogNotSeen(string imageKey, string reason);
}
