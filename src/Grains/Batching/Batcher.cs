using System.Diagnostics;
using Detection.Contracts.Cluster;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Detection.Grains.Placement;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>
/// Drains one model's queue onto one device: takes a lease, claims batches while slots are free, and returns unfinished items when it stops. It runs
/// beside its grain, so that no turn of the grain waits for a device. Claimed items are in the batcher's in-flight list, protected by the lease,
/// until they are settled.
/// </summary>
internal sealed class Batcher : IAsyncDisposable
{
    /// <summary>Pause before a retry.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly BatcherDevice _device;
    private readonly BatchStores _stores;
    private readonly BatchSettings _settings;
    private readonly BatchingMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _slots;
    private readonly WakeSignal _wake = new();
    private readonly LeaseKeeper _leases;
    private readonly RedisOutages _outages;
    private readonly BatchRunner _runner;
    private readonly Task _loop;
    private bool _disposed;

    public Batcher(BatcherDevice device, BatchStores stores, BatchSettings settings, BatchingMetrics metrics, ILogger logger)
    {
        (_device, _stores, _settings, _metrics, _logger) = (device, stores, settings, metrics, logger);
        _slots = new SemaphoreSlim(device.Session.Concurrency, device.Session.Concurrency);
        _outages = new RedisOutages(settings.Queue.Lease, stores.Clock);
        _leases = new LeaseKeeper(device, _outages, stores, settings, metrics, logger);
        var settling = new Settling(device, stores, settings, metrics, logger, _stopping.Token);
        _runner = new BatchRunner(device, settling, stores, settings, metrics, logger, _stopping.Token);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Completes when the batcher has stopped.</summary>
    public Task Completion => _loop;

    private BatcherKey Key => _device.Key;

    private Throughput Throughput => _device.Throughput;

    /// <summary>The state of the batcher. Called by one reporter only, because each call measures the rate since the last call.</summary>
    public BatcherReport Report() => Throughput.Report(
        Key.Device,
        Key.Model,
        _stopping.IsCancellationRequested ? BatcherState.Draining
            : _device.IsStuck(_settings.Batching.StuckAfter) ? BatcherState.Stuck
            : Throughput.InFlight > 0 ? BatcherState.Busy
            : BatcherState.Idle);

    /// <summary>Stops claiming, lets the device finish the pictures that it has started, and returns the others to the queue.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await Task.WhenAny(_loop, _device.Session.Unending).WaitAsync(_settings.Batching.DrainTimeout, _stores.Clock);
        }
        catch (TimeoutException)
        {
            _logger.LogDrainTimedOut(Key, _settings.Batching.DrainTimeout, Throughput.InFlight);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        await StopAsync();
        if (_loop.IsCompleted)
        {
            _disposed = true;
            _stopping.Dispose();
            _slots.Dispose();
            _wake.Dispose();
            _runner.Dispose();
        }
    }

    private async Task RunAsync()
    {
        // The loop serves many requests, so it must not run in the trace of the request that started it.
        Activity.Current = null;
        _logger.LogStarted(Key);
        _metrics.Started(Key);
        while (!_stopping.IsCancellationRequested && _device.Watch.Tracker.Serves)
        {
            try
            {
                await ServeAsync();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                if (RedisConnection.IsOutage(e))
                {
                    _outages.Noticed();
                }

                _logger.LogInterrupted(e, Key, RetryDelay);
                await Task.Delay(RetryDelay, _stores.Clock, CancellationToken.None);
            }
        }

        // The device may still process items that another batcher has reclaimed.
        await IdleAsync();
        _logger.LogStopped(Key, Throughput.Completed);
    }

    /// <summary>Serves under one lease, until the lease is over or the batcher stops.</summary>
    private async Task ServeAsync()
    {
        var lease = await _leases.TakeAsync();
        await using var subscription = await _stores.Queue.SubscribeAsync(Key.Model, _wake.Set);
        using var finished = new CancellationTokenSource();
        var renewing = _leases.RenewAsync(lease, _wake.Set, finished.Token);
        try
        {
            while (!_stopping.IsCancellationRequested && lease.State == LeaseState.Held)
            {
                await _slots.WaitAsync(_stopping.Token);
                var started = false;
                try
                {
                    if (!await _device.Watch.CanClaimAsync(_device.Session, _stopping.Token))
                    {
                        break;
                    }

                    started = await ClaimAndStartAsync(lease);
                }
                catch (Exception e) when (RedisConnection.IsOutage(e))
                {
                    _logger.LogCannotClaim(Key, e.Message);
                    _outages.Noticed();
                    lease.End(LeaseState.Uncertain);
                }
                finally
                {
                    if (!started)
                    {
                        _slots.Release();
                    }
                }

                if (!started && lease.State == LeaseState.Held)
                {
                    await _wake.WaitAsync(_settings.Queue.PollInterval, _stopping.Token);
                    if (_settings.Batching.MaxBatchDelay > TimeSpan.Zero && Throughput.InFlight == 0)
                    {
                        await Task.Delay(_settings.Batching.MaxBatchDelay, _stores.Clock, _stopping.Token);
                    }
                }
            }
        }
        finally
        {
            try
            {
                await FinishAsync(lease);
            }
            finally
            {
                // In every case: a lease that is renewed for ever keeps its items from all other batchers.
                await finished.CancelAsync();
                await renewing;
            }
        }
    }

    /// <summary>Claims a batch and starts it; <see langword="false"/> when the queue had none. The batch releases the caller's slot.</summary>
    private async Task<bool> ClaimAndStartAsync(HeldLease lease)
    {
        var claim = await _stores.Queue.ClaimAsync(Key.Model, lease.Id, _runner.ClaimSize.Next, Key.Device);
        if (!claim.LeaseHeld)
        {
            lease.End(LeaseState.Lost);
            _logger.LogLeaseEnded(Key);
            return false;
        }

        if (claim.Void.Count > 0)
        {
            await _stores.Queue.SettleAsync(
                Key.Model, lease.Id, [.. claim.Void.Select(key => new Settlement(key, default))], _settings.ResultExpiry, lease.NextSettle());
        }

        if (claim.Items.Count == 0)
        {
            return claim.Void.Count > 0 && await ClaimAndStartAsync(lease);
        }

        Throughput.Enter(claim.Items.Count, claim.Waiting > 0);
        var batch = RunBatchAsync(lease, claim.Items);
        if (claim.Items[0].Attempts >= Math.Max(1, _settings.Queue.MaxAttempts - 1))
        {
            // A poison picture may crash the process. Nothing else starts beside it.
            await batch;
        }

        return true;
    }

    private async Task RunBatchAsync(HeldLease lease, IReadOnlyList<QueuedItem> items)
    {
        try
        {
            await _runner.RunAsync(lease, items);
        }
        finally
        {
            _slots.Release();
            _wake.Set();
        }
    }

    /// <summary>Waits for the pictures on the device, then returns the others.</summary>
    private async Task FinishAsync(HeldLease lease)
    {
        if (lease.State != LeaseState.Lost)
        {
            await IdleAsync();
            await _leases.ReleaseAsync(lease, _stopping.Token);
        }
    }

    /// <summary>Waits until no picture is on the device.</summary>
    private async Task IdleAsync()
    {
        for (var i = 0; i < _device.Session.Concurrency; i++)
        {
            await _slots.WaitAsync(CancellationToken.None);
        }

        _slots.Release(_device.Session.Concurrency);
    }
}
