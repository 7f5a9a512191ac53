using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>Runs the batches that a batcher has claimed, several at a time: feeds their pictures to the device and has their outcomes settled.</summary>
internal sealed class BatchRunner(
    BatcherDevice device, Settling settling, BatchStores stores, BatchSettings settings, BatchingMetrics metrics, ILogger logger, CancellationToken stopping)
    : IDisposable
{
    /// <summary>Pause after the process had no memory for a picture. By the next attempt other pictures may have freed memory.</summary>
    private static readonly TimeSpan MemoryPause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _ahead = new(PictureFeed.MaxAhead);

    /// <summary>The number of items to claim next.</summary>
    public ClaimSize ClaimSize { get; } = new(Math.Min(settings.Batching.MaxBatch, device.Session.BatchLimit));

    /// <summary>Runs a batch to its end. Never throws: a failure ends the lease.</summary>
    /// <param name="lease">The lease under which it was claimed.</param>
    /// <param name="items">Its items, which <see cref="Throughput"/> counts as claimed.</param>
    public async Task RunAsync(HeldLease lease, IReadOnlyList<QueuedItem> items)
    {
        var (key, throughput) = (device.Key, device.Throughput);
        var left = items.Count;
        var deferred = 0;
        try
        {
            await Task.Yield();
            var claimedAt = stores.Clock.GetUtcNow();
            metrics.Claimed(key, items, claimedAt);
            using var trace = BatchTrace.Begin(key, items, claimedAt);
            foreach (var item in items)
            {
                stores.Request(item.Key).Started().Ignore();
            }

            await foreach (var outcomes in PictureOutcomes.DetectAsync(FeedOf(items), items, stopping))
            {
                throughput.Progressed();
                var count = outcomes.Count;
                deferred += await DeferAsync(lease, outcomes);
                if (await settling.EndAsync(lease, outcomes, claimedAt, items.Count, trace))
                {
                    left -= count;
                    throughput.Leave(count);
                }
            }

            ClaimSize.Ended(items.Count - deferred, deferred);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Pictures that have not started return to the queue when the batcher finishes.
        }
        catch (Exception e)
        {
            logger.LogBatchInterrupted(e, key, left);
            if (e is OutOfMemoryException)
            {
                await PauseAsync();
            }

            // Neither an outage nor a lack of memory is a fault of the pictures: no attempt is counted for them.
            lease.End(e is OutOfMemoryException || RedisConnection.IsOutage(e) ? LeaseState.Uncertain : LeaseState.Failed);
        }
        finally
        {
            throughput.Leave(left);
            throughput.BatchEnded();
            metrics.BatchEnded(items.Count);
        }
    }

    public void Dispose() => _ahead.Dispose();

    private PictureFeed FeedOf(IReadOnlyList<QueuedItem> items)
    {
        var turns = new PictureTurns(stores.Queue, device.Key.Model, items);
        return new PictureFeed(stores.Pictures, stores.ImageKeys, stores.Clock, device.Session, device.Watch.OnDevice, _ahead, (item, picture) =>
        {
            device.Throughput.Progressed();
            return turns.Take(item, picture);
        });
    }

    /// <summary>
    /// Removes the pictures that have not started, and those for which the process had no memory, from <paramref name="outcomes"/> and returns them
    /// to the queue.
    /// </summary>
    private async Task<int> DeferAsync(HeldLease lease, List<(QueuedItem Item, PictureOutcome? Outcome)> outcomes)
    {
        RequestKey[] items = [.. outcomes.Where(static one => IsDeferred(one.Outcome)).Select(static one => one.Item.Key)];
        if (items.Length > 0)
        {
            if (outcomes.Exists(static one => one.Outcome?.Error is OutOfMemoryException))
            {
                logger.LogNoMemory(device.Key, MemoryPause);
                await PauseAsync();
            }

            outcomes.RemoveAll(static one => IsDeferred(one.Outcome));
            await stores.Queue.DeferAsync(device.Key.Model, lease.Id, items);
            logger.LogDeferred(device.Key, items.Length);
        }

        return items.Length;
    }

    private static bool IsDeferred(PictureOutcome? outcome) => ReferenceEquals(outcome, PictureFeed.Deferred) || outcome?.Error is OutOfMemoryException;

    private async Task PauseAsync() => await Task.Delay(MemoryPause, stores.Clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
