using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Grains.Batching;
using Detection.Grains.Health;
using Detection.Grains.Placement;
using Detection.Inference.Devices;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Devices;

/// <summary>
/// A model on a device of this silo: its session, the batcher that feeds it, and the watch over its health. A quarantined device gets its
/// model loaded again; until the known picture comes out right it has no batcher.
/// </summary>
internal sealed partial class ServedModel(
    BatcherKey key,
    IInferenceDevice device,
    ModelSource source,
    IModelSession session,
    ModelInfo info,
    BatcherServices services,
    HealthServices health) : IAsyncDisposable
{
    /// <summary>Loading takes seconds; a device that takes longer hangs.</summary>
    private static readonly TimeSpan LoadTimeout = TimeSpan.FromMinutes(5);

    private const string Replaced = "The model's file was replaced.";

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly DeviceWatch _watch = new(key, info.ScoreFloor, health);
    private readonly ILogger _logger = health.Logger;
    private IModelSession? _session = session;
    private Batcher? _batcher;
    private bool _unloading;
    private Task _keeping = Task.CompletedTask;
    private TimeSpan _rest;

    /// <summary>What callers see of the model.</summary>
    public ModelInfo Info => info;

    /// <summary>Since when the repository has it no more.</summary>
    public DateTimeOffset? RetiredAt { get; set; }

    /// <summary>What it answers that cannot be meant, one sentence; <see langword="null"/> as long as nothing was seen of that.</summary>
    public string? Nonsense => _watch.Nonsense;

    /// <summary>Whether its device may be given pictures.</summary>
    public bool Serves => _watch.Tracker.Serves;

    /// <summary>Whether its device is out of service and its file is another by now, so that this version cannot be loaded again.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Whether a run on it was ended and goes on, which only the end of the process ends.</summary>
    public bool HasUnendingRun => _session is { Unending.IsCompleted: true };

    /// <summary>Ends the silo because of a run that cannot be ended.</summary>
    public void EndSilo() => _watch.RunGoesOn();

    /// <summary>Learns the boxes of the known picture and begins to watch over the device.</summary>
    public async Task StartAsync()
    {
        if ((await _watch.ProbeAsync(_session!)).Verdict == ProbeVerdict.Unknown)
        {
            LogTellsNothing(key);
        }

        _keeping = Task.Run(KeepAsync);
    }

    /// <summary>
    /// Starts the batcher unless it runs or the device is out of service. <see langword="false"/> when the model is being unloaded.
    /// </summary>
    public bool EnsureBatcher()
    {
        lock (_gate)
        {
            if (_unloading)
            {
                return false;
            }

            if (_watch.Tracker.Serves && _session is { } session && _batcher is null or { Completion.IsCompleted: true })
            {
                _batcher = new Batcher(key, session, _watch, services);
            }

            return true;
        }
    }

    /// <summary>What the batcher does and how its device is; <see langword="null"/> before the first batcher.</summary>
    public BatcherReport? Report()
    {
        var tracker = _watch.Tracker;
        var batcher = _batcher;
        var report = batcher?.Report() ?? (tracker.Serves ? null : new BatcherReport(key.Device, key.Model, BatcherState.Starting, 0, 0, 0, 0, 0, 0));
        if (report is null)
        {
            return null;
        }

        report = report with { Health = tracker.State, DeviceErrors = tracker.Errors, Ailment = tracker.Reason };

        // For those that do not know of health yet it must not look as if it worked.
        return tracker.Serves ? report
            : report with { Rate = 0, State = report.State is BatcherState.Idle or BatcherState.Busy ? BatcherState.Starting : report.State };
    }

    /// <summary>Stops for good. <see langword="false"/> when a run hangs on the device, which cannot be freed then.</summary>
    public async Task<bool> StopAsync()
    {
        lock (_gate)
        {
            _unloading = true;
        }

        await _stopping.CancelAsync();
        await _keeping;
        return await StopBatcherAsync() && await DisposeSessionAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    private async Task KeepAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var served = services.Time.GetTimestamp();
                while (_watch.Tracker.Serves)
                {
                    using var interval = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                    await Task.WhenAny(_watch.Tracker.Left, _session!.Unending, Task.Delay(health.Options.ProbeInterval, services.Time, interval.Token));
                    await interval.CancelAsync();
                    _stopping.Token.ThrowIfCancellationRequested();
                    if (HasUnendingRun)
                    {
                        EndSilo();
                    }
                    else if (_watch.Tracker.Serves)
                    {
                        await _watch.ProbeAsync(_session!);
                    }
                }

                if (services.Time.GetElapsedTime(served) > health.Options.MaxRetryDelay)
                {
                    _rest = TimeSpan.Zero;
                }

                await RecoverAsync();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // Unloaded.
            }
            catch (Exception e)
            {
                // A device that nobody watches over could fail unseen, and would never serve again.
                LogWatchFailed(e, key, health.Options.RetryDelay);
                await ((Task)Task.Delay(health.Options.RetryDelay, services.Time, _stopping.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Loads the model again until the known picture comes out right.</summary>
    private async Task RecoverAsync()
    {
        await StopBatcherAsync();
        while (!_watch.Tracker.Serves)
        {
            if (health.End.IsRequested)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, _stopping.Token);
            }

            await Task.Delay(_rest, services.Time, _stopping.Token);
            _rest = NextRest(_rest);
            _watch.Tracker.Reload();
            LogReloading(key);
            if (await ReloadAsync() is not { } failure)
            {
                LogRecovered(key);
                _watch.Tracker.Recovered();
                EnsureBatcher();
                return;
            }

            _watch.Tracker.Break(failure);
            LogBroken(key, _rest, failure);
            if (health.Options.WhenBroken == BrokenDevice.EndSilo)
            {
                health.End.Request(key.ToString(), failure);
            }
        }
    }

    /// <summary>Loads the model again and tries it.</summary>
    /// <returns>What went wrong, one sentence; <see langword="null"/> when it serves again.</returns>
    private async Task<string?> ReloadAsync()
    {
        try
        {
            if (!await DisposeSessionAsync())
            {
                if (HasUnendingRun)
                {
                    EndSilo();
                }

                return "A run hangs on the device.";
            }

            // Looked at again afterwards: what was loaded may be of either version.
            if (IsReplaced())
            {
                return Replaced;
            }

            _session = await LoadAsync();
            if (IsReplaced())
            {
                return Replaced;
            }

            var result = await _watch.ProbeAsync(_session);
            return result.Verdict is ProbeVerdict.Sound or ProbeVerdict.Unknown ? null : result.Reason;
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            if (DeviceFault.NeedsNewProcess(e))
            {
                health.End.Request(key.ToString(), e.Message);
            }

            return e.Message;
        }
    }

    private bool IsReplaced() => IsLost = !ModelVersion.IsUnchanged(source);

    private async Task<IModelSession> LoadAsync()
    {
        var loading = device.LoadAsync(source, _stopping.Token);
        try
        {
            return await loading.WaitAsync(LoadTimeout, services.Time);
        }
        catch (TimeoutException)
        {
            _ = DisposeLateAsync(loading);
            throw;
        }

        static async Task DisposeLateAsync(Task<IModelSession> loading)
        {
            await using var late = await loading;
        }
    }

    /// <summary>Ends the batcher; <see langword="false"/> when it still waits for its device.</summary>
    private async Task<bool> StopBatcherAsync()
    {
        if (_batcher is not { } batcher)
        {
            return true;
        }

        await batcher.DisposeAsync();
        return batcher.Completion.IsCompleted;
    }

    /// <summary>Frees the session; <see langword="false"/> when a run on it does not end: freeing it then would crash the process.</summary>
    private async Task<bool> DisposeSessionAsync()
    {
        if (_session is not { } session)
        {
            return true;
        }

        if (_batcher is { Completion.IsCompleted: false })
        {
            return false;
        }

        try
        {
            await session.DisposeAsync().AsTask().WaitAsync(services.Options.DrainTimeout, services.Time);
        }
        catch (TimeoutException)
        {
            return false;
        }

        _session = null;
        return true;
    }

    private TimeSpan NextRest(TimeSpan rest)
    {
        var (first, most) = (health.Options.RetryDelay, health.Options.MaxRetryDelay);
        var next = rest == TimeSpan.Zero ? first : 2 * rest;
        return next < most ? next : most;
    }

    [LoggerMessage(11, LogLevel.Information, "Batcher {Batcher}: the model finds nothing in the known picture; only errors will show that its device is sick")]
    private partial void LogTellsNothing(BatcherKey batcher);

    [LoggerMessage(12, LogLevel.Information, "Batcher {Batcher}: the model is being loaded again on the quarantined device")]
    private partial void LogReloading(BatcherKey batcher);

    [LoggerMessage(13, LogLevel.Information, "Batcher {Batcher}: the known picture came out right; the device serves again")]
    private partial void LogRecovered(BatcherKey batcher);

    [LoggerMessage(15, LogLevel.Error, "Batcher {Batcher}: watching over its device failed; going on in {Delay}")]
    private partial void LogWatchFailed(Exception exception, BatcherKey batcher, TimeSpan delay);

    [LoggerMessage(14, LogLevel.Error, "Device of {Batcher} is broken; trying again in {Rest}: {Reason}")]
    private partial void LogBroken(BatcherKey batcher, TimeSpan rest, string reason);
}
