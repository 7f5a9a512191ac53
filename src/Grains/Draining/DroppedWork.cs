using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Grains.Webhooks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Draining;

/// <summary>
/// Logs what is lost when a process stops that keeps nothing. It is registered before all services that do the work, and so stops after them.
/// </summary>
internal sealed partial class DroppedWork(RequestQueue queue, WebhookStore webhooks, ILogger<DroppedWork> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (requests, undelivered) = (await queue.CountAsync(), await webhooks.CountAsync());
            if (requests + undelivered > 0)
            {
                LogDropped(requests, undelivered);
            }
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            LogNotCounted(e.Message);
        }
    }

    [LoggerMessage(97, LogLevel.Warning, "Stopped: {Requests} accepted requests and {Webhooks} webhooks are dropped. This process keeps nothing over a restart.", EventName = "Dropped")]
    private partial void LogDropped(int requests, int webhooks);

    [LoggerMessage(98, LogLevel.Warning, "Stopped: the dropped requests and webhooks cannot be counted: {Reason}", EventName = "NotCounted")]
    private partial void LogNotCounted(string reason);
}
