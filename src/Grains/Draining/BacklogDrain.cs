using Detection.Contracts.Storage;
using Detection.Grains.Batching;
using Detection.Grains.Webhooks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Draining;

/// <summary>
/// Holds up the stop of a process that no other goes on for, until what it has accepted is done and each webhook has had its try, or the drain
/// time is over. It is registered after everything that does this work, and so stops before it.
/// </summary>
internal sealed partial class BacklogDrain(
    Backlog backlog, WebhookDeliverer deliverer, IOptions<BatcherOptions> options, ClusterClock time, ILogger<BacklogDrain> logger) : IHostedService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Value.DrainTimeout);
        try
        {
            if (await CountAsync() is var (requests, webhooks) && requests + webhooks > 0)
            {
                LogDraining(requests, webhooks, options.Value.DrainTimeout);
            }

            while (await HasWorkAsync())
            {
                await Task.Delay(Interval, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over. What is left is counted when everything has stopped.
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            LogNotCounted(e.Message);
        }
    }

    private async Task<(int Requests, int Webhooks)> CountAsync() => (await backlog.RequestsAsync(), await backlog.WebhooksAsync());

    /// <summary>Whether a request has not ended, or a webhook is being delivered, or is due before long. A webhook whose next try is later holds up nothing.</summary>
    private async Task<bool> HasWorkAsync() =>
        await backlog.RequestsAsync() > 0

        // In this order: one that is claimed in between is being delivered.
        || await backlog.WebhooksAsync(time.GetUtcNow() + WebhookDeliverer.LookAgain) > 0
        || deliverer.IsDelivering;

    [LoggerMessage(95, LogLevel.Information, "Stopping: {Requests} accepted requests and {Webhooks} webhooks are finished first, within {DrainTimeout}.", EventName = "Draining")]
    private partial void LogDraining(int requests, int webhooks, TimeSpan drainTimeout);

    [LoggerMessage(96, LogLevel.Warning, "The accepted requests cannot be counted; the stop continues: {Reason}", EventName = "NotCounted")]
    private partial void LogNotCounted(string reason);
}
