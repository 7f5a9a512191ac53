using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>Takes, renews and releases a batcher's leases, and reclaims what batchers of the same model held whose leases expired.</summary>
/// <param name="device">The device and its model.</param>
/// <param name="outages">What the batcher notices of outages of Redis.</param>
/// <param name="stores">Where items come from and go.</param>
/// <param name="settings">The settings.</param>
/// <param name="metrics">Counts what is reclaimed.</param>
/// <param name="logger">The log.</param>
internal sealed class LeaseKeeper(
    BatcherDevice device, RedisOutages outages, BatchStores stores, BatchSettings settings, BatchingMetrics metrics, ILogger logger)
{
    private string Model => device.Key.Model;

    /// <summary>Takes a lease of a new name.</summary>
    public async Task<HeldLease> TakeAsync()
    {
        var name = device.Key.Device;
        var lease = new HeldLease($"{name.Replace('/', ':')}:{Guid.NewGuid():N}"[..Math.Min(200, name.Length + 33)]);
        await stores.Queue.TakeLeaseAsync(Model, lease.Id);
        return lease;
    }

    /// <summary>Keeps the lease, and looks after the leases of the model's other batchers.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="wake">Called when it was lost.</param>
    /// <param name="cancellationToken">The lease is not needed any more.</param>
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
            // Served to the end.
        }
    }

    /// <summary>Returns what is left under a lease to the queue, unless it was lost or a batch failed: then it expires by itself.</summary>
    /// <param name="lease">The lease; nothing of it is on the device any more.</param>
    /// <param name="stopping">The batcher stops: it waits for Redis no longer.</param>
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
                    // The lease expires by itself and another batcher reclaims.
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
            }
        }
    }
}
