using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;

namespace Detection.Grains.Batching;

/// <summary>Runs the batches that a batcher has claimed, several at a time: brings their pictures to the device and has their outcomes settled.</summary>
/// <param name="device">The device and its model.</param>
/// <param name="services">What all batchers of a silo share.</param>
/// <param name="stopping">The batcher stops: pictures that are not begun are given up.</param>
internal sealed class BatchRunner(BatcherDevice device, BatcherServices services, CancellationToken stopping) : IDisposable
{
    private readonly SemaphoreSlim _ahead = new(PictureFeed.MostAhead);
    private readonly Settling _settling = new(device, services, stopping);

    /// <summary>Says how many items to claim next.</summary>
    public ClaimSize ClaimSize { get; } = new(Math.Min(services.Options.MaxBatch, device.Session.BatchLimit));

    /// <summary>Runs a batch to its end. Never throws: what breaks it off ends the lease.</summary>
    /// <param name="lease">The lease under which it was claimed.</param>
    /// <param name="items">Its items, which <see cref="Throughput"/> counts as held.</param>
    public async Task RunAsync(HeldLease lease, IReadOnlyList<QueuedItem> items)
    {
        var (key, throughput, logger) = (device.Key, device.Throughput, services.Logger);
        var left = items.Count;
        var deferred = 0;
        try
        {
            await Task.Yield();
            var claimedAt = services.Clock.GetUtcNow();
            services.Metrics.Claimed(key, items, claimedAt);
            using var trace = BatchTrace.Begin(key, items, claimedAt);
            foreach (var item in items)
            {
                services.Grains.GetGrain<IRequestGrain>(item.Key.ToString()).Started().Ignore();
            }

            await foreach (var outcomes in PictureOutcomes.DetectAsync(FeedOf(items), items, stopping))
            {
                throughput.Progressed();
                var count = outcomes.Count;
                deferred += await DeferAsync(lease, outcomes);
                if (await _settling.EndAsync(lease, outcomes, claimedAt, items.Count, trace))
                {
                    left -= count;
                    throughput.Leave(count);
                }
            }

            ClaimSize.Ended(items.Count - deferred, deferred);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What was not begun goes back to the queue when the batcher finishes.
        }
        catch (Exception e)
        {
            logger.LogBatchInterrupted(e, key, left);
            lease.End(RedisConnection.IsOutage(e) ? LeaseState.Uncertain : LeaseState.Failed);
        }
        finally
        {
            throughput.Leave(left);
            throughput.BatchEnded();
            services.Metrics.BatchEnded(items.Count);
        }
    }

    public void Dispose() => _ahead.Dispose();

    private PictureFeed FeedOf(IReadOnlyList<QueuedItem> items)
    {
        var turns = new PictureTurns(services.Queue, device.Key.Model, items);
        return new PictureFeed(services.Pictures, services.ImageKeys, services.Clock, device.Session, _ahead, (item, picture) =>
        {
            device.Throughput.Progressed();
            return turns.Take(item, picture);
        });
    }

    /// <summary>Takes the pictures that were not begun out of <paramref name="outcomes"/> and returns them to the queue.</summary>
    private async Task<int> DeferAsync(HeldLease lease, List<(QueuedItem Item, PictureOutcome? Outcome)> outcomes)
    {
        RequestKey[] items = [.. outcomes.Where(static one => ReferenceEquals(one.Outcome, PictureFeed.Deferred)).Select(static one => one.Item.Key)];
        if (items.Length > 0)
        {
            outcomes.RemoveAll(static one => ReferenceEquals(one.Outcome, PictureFeed.Deferred));
            await services.Queue.DeferAsync(device.Key.Model, lease.Id, items);
            services.Logger.LogDeferred(device.Key, items.Length);
        }

        return items.Length;
    }
}
