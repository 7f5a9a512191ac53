using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>Runs the batches that a batcher has claimed, several at a time: brings their pictures to the device and has their outcomes settled.</summary>
/// <param name="device">The device and its model.</param>
/// <param name="settling">Ends the pictures that come off the device.</param>
/// <param name="stores">Where items come from and go.</param>
/// <param name="settings">The settings.</param>
/// <param name="metrics">Counts the work.</param>
/// <param name="logger">The log.</param>
/// <param name="stopping">The batcher stops: pictures that are not begun are given up.</param>
internal sealed class BatchRunner(
    BatcherDevice device, Settling settling, BatchStores stores, BatchSettings settings, BatchingMetrics metrics, ILogger logger, CancellationToken stopping)
    : IDisposable
{
    /// <summary>Pause after the process had no memory for a picture. What was freed meanwhile may do for the next attempt.</summary>
    private static readonly TimeSpan MemoryPause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _ahead = new(PictureFeed.MaxAhead);

    /// <summary>Says how many items to claim next.</summary>
    public ClaimSize ClaimSize { get; } = new(Math.Min(settings.Batching.MaxBatch, device.Session.BatchLimit));

    /// <summary>Runs a batch to its end. Never throws: what breaks it off ends the lease.</summary>
    /// <param name="lease">The lease under which it was claimed.</param>
    /// <param name="items">Its items, which <see cref="Throughput"/> counts as held.</param>
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
            // What was not begun goes back to the queue when the batcher finishes.
        }
        catch (Exception e)
        {
            logger.LogBatchInterrupted(e, key, left);
            if (e is OutOfMemoryException)
            {
                await PauseAsync();
            }

            // Neither an outage nor a process without memory says anything about the pictures: no attempt is counted for them.
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
    /// Takes the pictures that were not begun, and those for which the process had no memory, out of <paramref name="outcomes"/> and returns
    /// them to the queue.
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
