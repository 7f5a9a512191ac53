using Detection.Contracts.Storage;
using Detection.Grains.Batching;
using Detection.Grains.Queueing;
using Detection.Grains.Webhooks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Draining;

/// <summary>
/// Delays the stop of a process that is the whole cluster until its accepted requests are done and each webhook was attempted, or the drain time is
/// over. It is registered after all services that do this work, and so stops before them.
/// </summary>
internal sealed partial class BacklogDrain(
    RequestQueue queue,
    WebhookStore webhooks,
    WebhookDeliverer deliverer,
    IOptions<BatcherOptions> options,
    ClusterClock time,
    ILogger<BacklogDrain> logger) : IHostedService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Value.DrainTimeout);
        try
        {
            var (requests, undelivered) = (await queue.CountAsync(), await webhooks.CountAsync());
            if (requests + undelivered > 0)
            {
                LogDraining(requests, undelivered, options.Value.DrainTimeout);
            }

            while (await HasWorkAsync())
            {
                await Task.Delay(Interval, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The drain time is over. The remaining work is counted when all services have stopped.
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            LogNotCounted(e.Message);
        }
    }

    /// <summary>
    /// Whether a request has not ended, or a webhook is being delivered or is due soon. A webhook whose next attempt is later does not delay the
    /// stop.
    /// </summary>
    private async Task<bool> HasWorkAsync() =>
        await queue.CountAsync() > 0

        // In this order: a webhook that is claimed in between is being delivered.
        || await webhooks.CountAsync(time.GetUtcNow() + WebhookDeliverer.LookAgain) > 0
        || deliverer.IsDelivering;

    [LoggerMessage(95, LogLevel.Information, "Stopping: {Requests} accepted requests and {Webhooks} webhooks are finished first, within {DrainTimeout}.", EventName = "Draining")]
    private partial void LogDraining(int requests, int webhooks, TimeSpan drainTimeout);

    [LoggerMessage(96, LogLevel.Warning, "The accepted requests cannot be counted; the stop continues: {Reason}", EventName = "NotCounted")]
    private partial void LogNotCounted(string reason);
}
