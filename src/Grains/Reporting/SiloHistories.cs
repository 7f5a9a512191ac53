using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Contracts.Storage;
using Detection.Grains.Batching;
using Detection.Grains.Devices;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Reporting;

/// <summary>Creates this silo's history.</summary>
internal sealed class SiloHistories(
    LocalDevices local, RequestQueue queue, RecentWork recent, IOptions<QueueOptions> queueOptions, IOptions<BatcherOptions> batcherOptions, ClusterClock time)
{
    /// <summary>The current history.</summary>
    public async Task<SiloHistory> ReadAsync(IReadOnlyList<ModelInfo> models)
    {
        var queues = await LookAtQueuesAsync(models);
        var (intervals, failures) = recent.Read();
        return new SiloHistory(local.Silo, time.GetUtcNow())
        {
            Queues = queues,
            Intervals = intervals,
            Failures = failures,
            MaxBatch = batcherOptions.Value.MaxBatch,
        };
    }

    private async Task<IReadOnlyList<QueueReport>> LookAtQueuesAsync(IReadOnlyList<ModelInfo> models)
    {
        var queues = new List<QueueReport>(models.Count);
        foreach (var model in models)
        {
            var state = await queue.LookAsync(model.Id);
            queues.Add(new QueueReport(model.Id, state.Length, queueOptions.Value.Capacity, state.Oldest.TotalSeconds, state.DeadLetters));
        }

        return queues;
    }
}
