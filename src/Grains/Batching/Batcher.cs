using System.Buffers;
using System.Diagnostics;
using Detection.Contracts.Cluster;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Health;
using Detection.Grains.Placement;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>
/// Drains one model's queue onto one device. It runs beside its grain, not in it, so that no grain turn ever waits for a device.
/// Claimed items stand in an in-flight list of its own, protected by a lease, until they are settled.
/// </summary>
internal sealed partial class Batcher : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly BatcherServices _services;
    private readonly ILogger _logger;
    private readonly BatcherKey _key;
    private readonly IModelSession _session;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _slots;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly SemaphoreSlim _ahead = new(PictureFeed.MostAhead);
    private readonly Throughput _throughput;
    private readonly DeviceWatch _watch;
    private readonly Outages _outages;
    private readonly ClaimSize _claimSize;
    private readonly Task _loop;
    private bool _disposed;

    /// <param name="key">The device and the model.</param>
    /// <param name="session">The model on the device.</param>
    /// <param name="watch">Says whether the device may have more pictures. Once it may not, the batcher ends by itself.</param>
    /// <param name="services">What all batchers of a silo share.</param>
    public Batcher(BatcherKey key, IModelSession session, DeviceWatch watch, BatcherServices services)
    {
        (_key, _session, _watch, _services, _logger) = (key, session, watch, services, services.Logger);
        _slots = new SemaphoreSlim(session.Concurrency, session.Concurrency);
        _throughput = new Throughput(services.Time);
        _outages = new Outages(services.QueueOptions.Lease, services.Time);
        _claimSize = new ClaimSize(Math.Min(services.Options.MaxBatch, session.BatchLimit));
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Ends when the batcher has stopped.</summary>
    public Task Completion => _loop;

    /// <summary>Whether it holds pictures and has completed none for too long.</summary>
    public bool IsStuck => _throughput.InFlight > 0 && _throughput.SinceProgress > _services.Options.StuckAfter;

    /// <summary>What it is doing. Called by one reporter, which also makes it measure its rate.</summary>
    public BatcherReport Report() => _throughput.Report(
        _key.Device,
        _key.Model,
        _stopping.IsCancellationRequested ? BatcherState.Draining
            : IsStuck ? BatcherState.Stuck
            : _throughput.InFlight > 0 ? BatcherState.Busy
            : BatcherState.Idle);

    /// <summary>
    /// Stops claiming, lets the device finish the pictures it has begun, and returns the others to the queue.
    /// </summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await Task.WhenAny(_loop, _session.Unending).WaitAsync(_services.Options.DrainTimeout, _services.Time);
        }
        catch (TimeoutException)
        {
            LogDrainTimedOut(_key, _throughput.InFlight);
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
            _ahead.Dispose();
        }
    }

    private async Task RunAsync()
    {
        // Whoever asked for the batcher is not whom it works for.
        Activity.Current = null;
        LogStarted(_key);
        _services.Metrics.Started(_key);
        while (!_stopping.IsCancellationRequested && _watch.Tracker.Serves)
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

                LogInterrupted(e, _key);
                await Task.Delay(RetryDelay, _services.Time, CancellationToken.None);
            }
        }

        // The device may still work on what another lease has by now.
        await IdleAsync();
        LogStopped(_key, _throughput.Completed);
    }

    /// <summary>Serves under one lease, until it is over or the batcher stops.</summary>
    private async Task ServeAsync()
    {
        var lease = new HeldLease($"{_key.Device.Replace('/', ':')}:{Guid.NewGuid():N}"[..Math.Min(200, _key.Device.Length + 33)]);
        await _services.Queue.TakeLeaseAsync(_key.Model, lease.Id);
        await using var subscription = await _services.Queue.SubscribeAsync(_key.Model, Wake);
        using var finished = new CancellationTokenSource();
        var renewing = RenewAsync(lease, finished.Token);
        try
        {
            while (!_stopping.IsCancellationRequested && lease.Over == LeaseOver.No)
            {
                await _slots.WaitAsync(_stopping.Token);
                var started = false;
                try
                {
                    if (!await _watch.MayClaimAsync(_session, _stopping.Token))
                    {
                        break;
                    }

                    started = await ClaimAndStartAsync(lease);
                }
                catch (Exception e) when (RedisConnection.IsOutage(e))
                {
                    LogCannotClaim(_key, e.Message);
                    _outages.Noticed();
                    lease.End(LeaseOver.Unclear);
                }
                finally
                {
                    if (!started)
                    {
                        _slots.Release();
                    }
                }

                if (!started && lease.Over == LeaseOver.No)
                {
                    await _wake.WaitAsync(_services.QueueOptions.PollInterval, _stopping.Token);
                    if (_services.Options.MaxBatchDelay > TimeSpan.Zero && _throughput.InFlight == 0)
                    {
                        await Task.Delay(_services.Options.MaxBatchDelay, _services.Time, _stopping.Token);
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
                // However it ends: a lease that is renewed for ever keeps what it protects from everybody.
                await finished.CancelAsync();
                await renewing;
            }
        }
    }

    /// <summary>Claims a batch and starts it; <see langword="false"/> when there was none. Takes over the caller's slot.</summary>
    private async Task<bool> ClaimAndStartAsync(HeldLease lease)
    {
        var claim = await _services.Queue.ClaimAsync(_key.Model, lease.Id, _claimSize.Next, _key.Device);
        if (!claim.LeaseHeld)
        {
            lease.End(LeaseOver.Lost);
            LogLeaseEnded(_key);
            return false;
        }

        if (claim.Void.Count > 0)
        {
            await _services.Queue.SettleAsync(
                _key.Model, lease.Id, [.. claim.Void.Select(key => new Settlement(key, default))], _services.ResultExpiry, lease.NextSettle());
        }

        if (claim.Items.Count == 0)
        {
            return claim.Void.Count > 0 && await ClaimAndStartAsync(lease);
        }

        _throughput.Enter(claim.Items.Count, claim.Waiting > 0);
        var batch = RunBatchAsync(lease, claim.Items);
        if (claim.Items[0].Attempts >= Math.Max(1, _services.QueueOptions.MaxAttempts - 1))
        {
            // It may take the process down. Nothing new is begun beside it.
            await batch;
        }

        return true;
    }

    private async Task RunBatchAsync(HeldLease lease, IReadOnlyList<QueuedItem> items)
    {
        var left = items.Count;
        var deferred = 0;
        try
        {
            await Task.Yield();
            var claimedAt = _services.Clock.GetUtcNow();
            _services.Metrics.Claimed(_key, items, claimedAt);
            using var trace = BatchTrace.Begin(_key, items, claimedAt);
            foreach (var item in items)
            {
                Request(item.Key).Started().Ignore();
            }

            var turns = new PictureTurns(_services.Queue, _key.Model, items);
            var feed = new PictureFeed(_services.Pictures, _services.ImageKeys, _services.Clock, _session, _ahead, (item, picture) =>
            {
                _throughput.Progressed();
                return turns.Take(item, picture);
            });
            await foreach (var outcomes in BatchRun.DetectAsync(feed, items, _stopping.Token))
            {
                _throughput.Progressed();
                var count = outcomes.Count;
                deferred += await DeferAsync(lease, outcomes);
                if (await EndAsync(lease, outcomes, claimedAt, items.Count, trace))
                {
                    left -= count;
                    _throughput.Leave(count);
                }
            }

            _claimSize.Ended(items.Count - deferred, deferred);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // What was not begun goes back to the queue when the batcher finishes.
        }
        catch (Exception e)
        {
            LogBatchInterrupted(e, _key, left);
            lease.End(RedisConnection.IsOutage(e) ? LeaseOver.Unclear : LeaseOver.Broken);
        }
        finally
        {
            _throughput.Leave(left);
            _throughput.BatchEnded();
            _services.Metrics.BatchEnded(items.Count);
            _slots.Release();
            Wake();
        }
    }

    /// <summary>Takes the pictures that were not begun out of <paramref name="outcomes"/> and returns them to the queue.</summary>
    private async Task<int> DeferAsync(HeldLease lease, List<(QueuedItem Item, PictureOutcome? Outcome)> outcomes)
    {
        RequestKey[] items = [.. outcomes.Where(static one => ReferenceEquals(one.Outcome, PictureFeed.Deferred)).Select(static one => one.Item.Key)];
        if (items.Length > 0)
        {
            outcomes.RemoveAll(static one => ReferenceEquals(one.Outcome, PictureFeed.Deferred));
            await _services.Queue.DeferAsync(_key.Model, lease.Id, items);
            LogDeferred(_key, items.Length);
        }

        return items.Length;
    }

    /// <summary>
    /// Settles pictures that came off the device, and returns to the queue those on which the device failed. <see langword="false"/> when
    /// the device has been quarantined meanwhile: what it says is not published, and goes back to the queue when the batcher finishes.
    /// </summary>
    private async Task<bool> EndAsync(
        HeldLease lease, List<(QueuedItem Item, PictureOutcome? Outcome)> outcomes, DateTimeOffset claimedAt, int batchSize, BatchTrace? trace)
    {
        if (!_watch.Tracker.Serves)
        {
            return false;
        }

        var ended = new List<(QueuedItem, RequestSnapshot)>(outcomes.Count);
        var failed = new List<QueuedItem>();
        var wrong = new List<QueuedItem>();
        Exception? error = null;
        var detected = 0;
        foreach (var (item, outcome) in outcomes)
        {
            if (outcome is null)
            {
                ended.Add((item, RequestFailures.PictureLost));
                continue;
            }

            if (outcome.Error is WrongPictureException)
            {
                wrong.Add(item);
                continue;
            }

            if (outcome.Kind == OutcomeKind.Failed && _watch.IsDevices(outcome.Error))
            {
                failed.Add(item);
                error = outcome.Error;
                continue;
            }

            if (outcome.Error is ModelException nonsense)
            {
                _watch.Answered(nonsense);
            }
            else if (outcome.Kind == OutcomeKind.Failed)
            {
                LogFailed(outcome.Error is PictureException ? null : outcome.Error, item.Key.Item, outcome.Error?.Message);
            }

            detected += outcome.Kind == OutcomeKind.Detected ? 1 : 0;
            ended.Add((item, Endings.Of(item, outcome, claimedAt, batchSize)));
        }

        // The watch hears of it first, so that nothing more is claimed before the known picture has tried the device.
        _watch.Ended(detected, failed.Count, error);
        if (ended.Count > 0)
        {
            await SettleAsync(lease, ended, trace);
        }

        if (failed.Count > 0)
        {
            LogDeviceFailed(_key, failed.Count, error!.Message);
            await ReturnAsync(lease.Id, await _watch.IsSickAsync(_session, error), failed, error, trace);
        }

        if (wrong.Count > 0)
        {
            LogWrongPictures(_key, wrong.Count, wrong[0].Key.ImageKey);
            _services.Metrics.WrongPictures(_key, wrong.Count);
            await _services.Pictures.ReconnectAsync();
            await ReturnAsync(lease.Id, false, wrong, new WrongPictureException(), trace);
        }

        return true;
    }

    /// <summary>Returns items to the queue for another attempt, by another device if there is one, and gives up those that failed too often.</summary>
    private async Task ReturnAsync(string id, bool isSick, List<QueuedItem> items, Exception error, BatchTrace? trace)
    {
        var outcomes = await _services.Queue.ReturnAsync(_key.Model, id, _key.Device, isSick, [.. items.Select(static item => item.Key)]);
        var now = _services.Clock.GetUtcNow();
        for (var i = 0; i < items.Count; i++)
        {
            if (outcomes[i] == ReturnOutcome.GivenUp)
            {
                LogGivenUp(error, items[i].Key.Item, _services.QueueOptions.MaxAttempts);
                if (error is ModelException nonsense)
                {
                    _watch.Answered(nonsense);
                }

                if (error is WrongPictureException)
                {
                    await _services.Pictures.RemoveAsync(items[i].Key.ImageKey);
                }

                Tell(items[i], Endings.GivenUp(error, _services.QueueOptions.MaxAttempts), now, trace);
            }
        }
    }

    /// <summary>Publishes ends in Redis, then tells the request grains. What is no longer this batcher's is left to its new owner.</summary>
    private async Task SettleAsync(HeldLease lease, List<(QueuedItem Item, RequestSnapshot End)> ended, BatchTrace? trace)
    {
        var settlements = new List<Settlement>(ended.Count);
        foreach (var (item, end) in ended)
        {
            if (end.Result is { } result)
            {
                var buffer = new ArrayBufferWriter<byte>(512);
                _services.Results.Serialize(result, buffer);
                settlements.Add(new Settlement(item.Key, buffer.WrittenMemory));
            }
            else
            {
                settlements.Add(new Settlement(item.Key, default, Expired: end.Status == RequestStatus.Expired));
            }
        }

        var settled = await SettleAsync(lease, settlements);
        var now = _services.Clock.GetUtcNow();
        for (var i = 0; i < ended.Count; i++)
        {
            if (settled[i] != SettleOutcome.Settled)
            {
                LogNotSettled(ended[i].Item.Key.Item, settled[i]);
                continue;
            }

            Tell(ended[i].Item, ended[i].End, now, trace);
        }
    }

    /// <summary>Counts an end and tells it to the request grain.</summary>
    private void Tell(QueuedItem item, RequestSnapshot end, DateTimeOffset now, BatchTrace? trace)
    {
        _throughput.Ended(end.Status == RequestStatus.Failed);
        _services.Metrics.Ended(_key, item, end, now);
        trace?.Enter(item);
        Request(item.Key).Complete(end).Ignore();
        trace?.Ended(item, end);
    }

    /// <summary>Settles, however long Redis is away: the work is done and would only be done again.</summary>
    private async Task<SettleOutcome[]> SettleAsync(HeldLease lease, List<Settlement> settlements)
    {
        var number = lease.NextSettle();
        for (var again = false; ; again = true)
        {
            try
            {
                return await _services.Queue.SettleAsync(_key.Model, lease.Id, settlements, _services.ResultExpiry, number, again);
            }
            catch (Exception e) when (RedisConnection.IsOutage(e) && !_stopping.IsCancellationRequested)
            {
                LogCannotSettle(_key, settlements.Count, e.Message);
                _throughput.Progressed();
                await Task.Delay(RetryDelay, _services.Time, CancellationToken.None);
            }
        }
    }

    /// <summary>Keeps the lease, and looks after the leases of the model's other batchers.</summary>
    private async Task RenewAsync(HeldLease lease, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_services.QueueOptions.Lease / 4, _services.Time);
        try
        {
            do
            {
                try
                {
                    if (IsStuck)
                    {
                        LogStuck(_key, _throughput.InFlight);
                    }
                    else if (!await _services.Queue.RenewLeaseAsync(_key.Model, lease.Id))
                    {
                        LogLeaseEnded(_key);
                        _outages.Noticed();
                        lease.End(LeaseOver.Lost);
                        Wake();
                        return;
                    }

                    await ReclaimAsync(lease.Id);
                }
                catch (Exception e) when (RedisConnection.IsOutage(e))
                {
                    _outages.Noticed();
                    LogCannotRenew(_key, e.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // Served to the end.
        }
    }

    private async Task ReclaimAsync(string id)
    {
        foreach (var other in await _services.Queue.BatchersAsync(_key.Model))
        {
            if (other == id)
            {
                continue;
            }

            var reclaimed = await _services.Queue.ReclaimAsync(_key.Model, other, counts: !_outages.EndedLeases);
            if (reclaimed.Alive)
            {
                continue;
            }

            LogReclaimed(other, reclaimed.Returned, reclaimed.Poison.Count);
            _services.Metrics.Reclaimed(_key.Model, reclaimed, _services.Clock.GetUtcNow());
            foreach (var key in reclaimed.Poison)
            {
                LogPoison(key.Item, _services.QueueOptions.MaxAttempts);
                Request(key).Complete(RequestFailures.Poison).Ignore();
            }
        }
    }

    /// <summary>Waits for what is on the device, then returns what is left.</summary>
    private async Task FinishAsync(HeldLease lease)
    {
        if (lease.Over == LeaseOver.Lost)
        {
            return;
        }

        await IdleAsync();
        while (lease.Over is not (LeaseOver.Lost or LeaseOver.Broken))
        {
            try
            {
                LogReleased(_key, await _services.Queue.ReleaseAsync(_key.Model, lease.Id));
                return;
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                LogCannotRenew(_key, e.Message);
                if (_stopping.IsCancellationRequested)
                {
                    // The lease ends by itself and another batcher reclaims.
                    return;
                }

                await Task.Delay(RetryDelay, _services.Time, CancellationToken.None);
            }
        }
    }

    /// <summary>Waits until nothing is on the device.</summary>
    private async Task IdleAsync()
    {
        for (var i = 0; i < _session.Concurrency; i++)
        {
            await _slots.WaitAsync(CancellationToken.None);
        }

        _slots.Release(_session.Concurrency);
    }

    private IRequestGrain Request(RequestKey key) => _services.Grains.GetGrain<IRequestGrain>(key.ToString());

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Awake already.
        }
        catch (ObjectDisposedException)
        {
            // A last message of the subscription after the end.
        }
    }

    [LoggerMessage(LogLevel.Debug, "Batcher {Key} has returned {Count} costly pictures to the queue; other callers go first")]
    private partial void LogDeferred(BatcherKey key, int count);

    [LoggerMessage(LogLevel.Information, "Batcher {Batcher} started")]
    private partial void LogStarted(BatcherKey batcher);

    [LoggerMessage(LogLevel.Information, "Batcher {Batcher} stopped after {Completed} pictures")]
    private partial void LogStopped(BatcherKey batcher, long completed);

    [LoggerMessage(LogLevel.Warning, "Batcher {Batcher} was interrupted and goes on")]
    private partial void LogInterrupted(Exception exception, BatcherKey batcher);

    [LoggerMessage(LogLevel.Warning, "Batcher {Batcher}: a batch was interrupted, {Left} pictures go back to the queue")]
    private partial void LogBatchInterrupted(Exception exception, BatcherKey batcher, int left);

    [LoggerMessage(LogLevel.Warning, "Batcher {Batcher} lost its lease: what it held is somebody else's now. It takes a new one")]
    private partial void LogLeaseEnded(BatcherKey batcher);

    [LoggerMessage(LogLevel.Warning, "Batcher {Batcher}: Redis cannot be reached: {Reason}")]
    private partial void LogCannotRenew(BatcherKey batcher, string reason);

    [LoggerMessage(LogLevel.Warning, "Batcher {Batcher}: nothing can be claimed, Redis cannot be reached: {Reason}")]
    private partial void LogCannotClaim(BatcherKey batcher, string reason);

    [LoggerMessage(LogLevel.Warning, "Batcher {Batcher}: {Count} results wait for Redis: {Reason}")]
    private partial void LogCannotSettle(BatcherKey batcher, int count, string reason);

    [LoggerMessage(LogLevel.Error, "Batcher {Batcher} is stuck with {InFlight} pictures on its device; its lease is left to end")]
    private partial void LogStuck(BatcherKey batcher, int inFlight);

    [LoggerMessage(LogLevel.Warning, "Batcher {Batcher} was still working after the drain timeout, with {InFlight} pictures")]
    private partial void LogDrainTimedOut(BatcherKey batcher, int inFlight);

    [LoggerMessage(LogLevel.Warning, "Batcher {Other} died: {Returned} requests returned to the queue, {Poison} given up")]
    private partial void LogReclaimed(string other, int returned, int poison);

    [LoggerMessage(LogLevel.Error, "{Item}: given up as poison, its batcher died {Attempts} times")]
    private partial void LogPoison(string item, int attempts);

    [LoggerMessage(LogLevel.Information, "Batcher {Batcher} returned {Returned} requests to the queue")]
    private partial void LogReleased(BatcherKey batcher, int returned);

    [LoggerMessage(LogLevel.Information, "{Item}: not settled: {Outcome}; this batcher's result is dropped")]
    private partial void LogNotSettled(string item, SettleOutcome outcome);

    [LoggerMessage(LogLevel.Warning, "Batcher {Batcher}: its device failed; {Count} items go back to the queue for another attempt: {Reason}")]
    private partial void LogDeviceFailed(BatcherKey batcher, int count, string reason);

    [LoggerMessage(LogLevel.Error, "Batcher {Batcher}: Redis gave the bytes of other pictures for {Count} pictures, the first is {ImageKey}; its connection is ended and the pictures are fetched again")]
    private partial void LogWrongPictures(BatcherKey batcher, int count, string imageKey);

    [LoggerMessage(LogLevel.Error, "{Item}: given up after {Attempts} attempts that failed")]
    private partial void LogGivenUp(Exception exception, string item, int attempts);

    [LoggerMessage(LogLevel.Information, "{Item}: failed: {Reason}")]
    private partial void LogFailed(Exception? exception, string item, string? reason);
}
