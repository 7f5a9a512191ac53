using Detection.Contracts.Cluster;
using Detection.Contracts.Requests;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Detection.Grains.Cluster;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Requests;

/// <summary>
/// Ends the requests that were accepted for a model version which no device has any more, and removes records of versions that have been gone for
/// long. Every silo does this; each item is given to one silo.
/// </summary>
internal sealed partial class AbandonedQueues(
    ClusterView cluster, RequestQueue queue, BatcherQueue batchers, IGrainFactory grains, SiloBoard board, ClusterClock time, ILogger<AbandonedQueues> logger)
    : BackgroundService
{
    private const int MaxItems = 100;

    /// <summary>Number of versions that are gone whose records are kept.</summary>
    private const int MaxGone = 20;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Longer than any deadline: a version that is gone accepts no requests.</summary>
    private static readonly TimeSpan LookFor = TimeSpan.FromMinutes(10);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Interval, time, logger).RunAsync(_ => EndAndForgetAsync(), reason => LogFailed(Interval, reason), stoppingToken);

    private async Task EndAndForgetAsync()
    {
        try
        {
            foreach (var record in cluster.Models.Gone.Where(record => time.GetUtcNow() - record.SeenAt < LookFor))
            {
                await EndAsync(record.Model.Id);
            }

            await ForgetAsync();
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogFailed(Interval, e.Message);
        }
    }

    private async Task EndAsync(string model)
    {
        foreach (var batcher in await batchers.BatchersAsync(model))
        {
            await batchers.ReclaimAsync(model, batcher, counts: false);
        }

        IReadOnlyList<RequestKey> ended;
        do
        {
            // It may be served again meanwhile.
            if (!cluster.IsFresh || cluster.Models.Find(model) is not { Standing: ModelStanding.Gone })
            {
                return;
            }

            ended = await queue.AbandonAsync(model, MaxItems);
            foreach (var key in ended)
            {
                await grains.GetGrain<IRequestGrain>(key.ToString()).Complete(RequestFailures.ModelGone);
            }

            if (ended.Count > 0)
            {
                LogEnded(model, ended.Count);
            }
        }
        while (ended.Count > 0);
    }

    private async Task ForgetAsync()
    {
        foreach (var record in cluster.Models.Gone.OrderByDescending(static record => record.SeenAt).Skip(MaxGone))
        {
            await board.RemoveModelAsync(record.Model.Id);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "No device serves {Model} any more; {Count} queued requests end with model-not-found.")]
    private partial void LogEnded(string model, int count);

    [LoggerMessage(2, LogLevel.Warning, "Removing requests for models without a device failed; retrying in {Delay}: {Reason}")]
    private partial void LogFailed(TimeSpan delay, string reason);
}
