using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>Takes, renews and releases a batcher's leases, and reclaims the items of other batchers of the same model whose leases expired.</summary>
internal sealed class LeaseKeeper(
    BatcherDevice device, RedisOutages outages, BatchStores stores, BatchSettings settings, BatchingMetrics metrics, ILogger logger)
{
    private string Model => device.Key.Model;

    /// <summary>Takes a lease with a new name.</summary>
    public async Task<HeldLease> TakeAsync()
    {
        var name = device.Key.Device;
        var lease = new HeldLease($"{name.Replace('/', ':')}:{Guid.NewGuid():N}"[..Math.Min(200, name.Length + 33)]);
        await stores.Queue.TakeLeaseAsync(Model, lease.Id);
        return lease;
    }

    /// <summary>Renews the lease, and checks the leases of the model's other batchers.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="wake">Called when the lease was lost.</param>
    /// <param name="cancellationToken">Cancelled when the lease is not needed any more.</param>
    public async Task RenewAsync(HeldLease lease, Action wake, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(settings.Queue.Lease / 4, stores.Clock);
        try
        {
            do
            {
                try
                {
                    if (device.IsStuck(settings.Batching.StuckAfter))
                    {
                        logger.LogStuck(device.Key, device.Throughput.InFlight);
                    }
                    else if (!await stores.Queue.RenewLeaseAsync(Model, lease.Id))
                    {
                        logger.LogLeaseEnded(device.Key);
                        outages.Noticed();
                        lease.End(LeaseState.Lost);
                        wake();
                        return;
                    }

                    await ReclaimAsync(lease.Id);
                }
                catch (Exception e) when (RedisConnection.IsOutage(e))
                {
                    outages.Noticed();
                    logger.LogCannotRenew(device.Key, e.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // All work under the lease is done.
        }
    }

    /// <summary>Returns the items that are left under a lease to the queue, unless it was lost or a batch failed: then it expires.</summary>
    /// <param name="lease">The lease; none of its items is on the device any more.</param>
    /// <param name="stopping">Cancelled when the batcher stops: it does not wait for Redis then.</param>
    public async Task ReleaseAsync(HeldLease lease, CancellationToken stopping)
    {
        while (lease.State is not (LeaseState.Lost or LeaseState.Failed))
        {
            try
            {
                logger.LogReleased(device.Key, await stores.Queue.ReleaseAsync(Model, lease.Id));
                return;
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                logger.LogCannotRenew(device.Key, e.Message);
                if (stopping.IsCancellationRequested)
                {
                    // The lease expires, and another batcher reclaims its items.
                    return;
                }

                await Task.Delay(Batcher.RetryDelay, stores.Clock, CancellationToken.None);
            }
        }
    }

    private async Task ReclaimAsync(string id)
    {
        foreach (var other in await stores.Queue.BatchersAsync(Model))
        {
            if (other == id)
            {
                continue;
            }

            var reclaimed = await stores.Queue.ReclaimAsync(Model, other, counts: !outages.EndedLeases);
            if (reclaimed.Alive)
            {
                continue;
            }

            logger.LogReclaimed(other, reclaimed.Returned, reclaimed.Poison.Count);
            metrics.Reclaimed(Model, reclaimed, stores.Clock.GetUtcNow());
            foreach (var key in reclaimed.Poison)
            {
                logger.LogPoison(key.Item, settings.Queue.MaxAttempts);
                stores.Request(key).Complete(RequestFailures.Poison).Ignore();
                await KeepPictureAsync(key.ImageKey);
            }
        }
    }

    private async Task KeepPictureAsync(string imageKey)
    {
        try
        {
            await stores.Dead.KeepPictureAsync(imageKey, settings.Queue.DeadLetterPictures, settings.Queue.DeadLetterPictureExpiry);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) || RedisConnection.IsFull(e))
        {
            logger.LogPoisonNotKept(imageKey, e.Message);
        }
    }
}
