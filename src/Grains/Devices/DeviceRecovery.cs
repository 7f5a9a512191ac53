using Detection.Contracts.Scheduling;
using Detection.Grains.Health;
using Detection.Grains.Placement;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Devices;

/// <summary>
/// Runs the test picture on a device at intervals, and reloads the model of a quarantined device. The device has no batcher until the test picture
/// succeeds.
/// </summary>
internal sealed partial class DeviceRecovery(
    BatcherKey key, DeviceSession session, ModelBatcher batcher, DeviceWatch watch, DeviceHealthOptions options, TimeProvider time, ILogger logger)
    : IDisposable
{
    private const string Replaced = "The model's file was replaced.";

    private readonly ILogger _logger = logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly WakeSignal _retry = new();
    private Task _keeping = Task.CompletedTask;
    private TimeSpan _rest;

    /// <summary>Records the boxes of the test picture and starts to watch the device.</summary>
    public async Task StartAsync()
    {
        if ((await watch.ProbeAsync(session.Current!)).Verdict == ProbeVerdict.Unknown)
        {
            LogTellsNothing(key);
        }

        _keeping = Task.Run(KeepAsync);
    }

    /// <summary>Stops watching.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _keeping;
    }

    /// <summary>Ends the pause before the next attempt.</summary>
    public void RetryNow() => _retry.Set();

    public void Dispose()
    {
        _stopping.Dispose();
        _retry.Dispose();
    }

    private async Task KeepAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var served = time.GetTimestamp();
                while (watch.Tracker.Serves)
                {
                    using var interval = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                    await Task.WhenAny(watch.Tracker.Left, session.Current!.Unending, Task.Delay(options.ProbeInterval, time, interval.Token));
                    await interval.CancelAsync();
                    _stopping.Token.ThrowIfCancellationRequested();
                    if (session.HasHungRun)
                    {
                        watch.ReportHungRun();
                    }
                    else if (watch.Tracker.Serves)
                    {
                        await watch.ProbeAsync(session.Current!);
                    }
                }

                if (time.GetElapsedTime(served) > options.MaxRetryDelay)
                {
                    _rest = TimeSpan.Zero;
                }

                await RecoverAsync();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // The model was unloaded.
            }
            catch (Exception e)
            {
                // Without a watch, a failure of the device would not be noticed, and a quarantined device would never serve again.
                LogWatchFailed(e, key, options.RetryDelay);
                await ((Task)Task.Delay(options.RetryDelay, time, _stopping.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Reloads the model until the test picture succeeds.</summary>
    private async Task RecoverAsync()
    {
        await batcher.StopAsync();
        while (!watch.Tracker.Serves)
        {
            if (watch.IsSiloEnding)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, _stopping.Token);
            }

            await RestAsync();
            _rest = NextRest(_rest);
            watch.Tracker.Reload();
            LogReloading(key);
            if (await ReloadAsync() is not { } failure)
            {
                LogRecovered(key);
                watch.Tracker.Recovered();
                batcher.Ensure();
                return;
            }

            watch.Tracker.Break(failure);
            LogBroken(key, _rest, failure);
            if (options.WhenBroken == BrokenDevice.EndSilo)
            {
                watch.EndSilo(failure);
            }
        }
    }

    private async Task RestAsync()
    {
        using var rest = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        await Task.WhenAny(Task.Delay(_rest, time, rest.Token), _retry.WaitAsync(Timeout.InfiniteTimeSpan, rest.Token));
        await rest.CancelAsync();
        _stopping.Token.ThrowIfCancellationRequested();
    }

    /// <summary>Reloads the model and runs the test picture.</summary>
    /// <returns>The fault, in one sentence; <see langword="null"/> when the device serves again.</returns>
    private async Task<string?> ReloadAsync()
    {
        try
        {
            if (!await FreeAsync())
            {
                if (session.HasHungRun)
                {
                    watch.ReportHungRun();
                }

                return "A run hangs on the device.";
            }

            // Checked again after loading: the file may have changed meanwhile, so what was loaded may be of either version.
            if (session.IsReplaced())
            {
                return Replaced;
            }

            var loaded = await session.LoadAsync(_stopping.Token);
            if (session.IsReplaced())
            {
                return Replaced;
            }

            var result = await watch.TryAsync(loaded, _stopping.Token);
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
                watch.EndSilo(e.Message);
            }

            return e.Message;
        }
    }

    /// <summary>
    /// Stops the batcher and frees the session; <see langword="false"/> when a run hangs. Pictures that are decoded or wait for memory end by themselves.
    /// </summary>
    private async Task<bool> FreeAsync()
    {
        while (!await batcher.StopAsync() || !await batcher.DisposeSessionAsync())
        {
            if (session.HasHungRun || batcher.HasHeldPictures)
            {
                return false;
            }

            _stopping.Token.ThrowIfCancellationRequested();
        }

        return true;
    }

    private TimeSpan NextRest(TimeSpan rest)
    {
        var next = rest == TimeSpan.Zero ? options.RetryDelay : 2 * rest;
        return next < options.MaxRetryDelay ? next : options.MaxRetryDelay;
    }

    [LoggerMessage(11, LogLevel.Information, "Model of {Batcher} finds no objects in the test picture; device health is judged by errors only.")]
    private partial void LogTellsNothing(BatcherKey batcher);

    [LoggerMessage(12, LogLevel.Information, "Device of {Batcher} is quarantined; reloading its model.")]
    private partial void LogReloading(BatcherKey batcher);

    [LoggerMessage(13, LogLevel.Information, "Device of {Batcher} passed the test picture; it serves again.")]
    private partial void LogRecovered(BatcherKey batcher);

    [LoggerMessage(15, LogLevel.Error, "Health check of {Batcher} failed; retrying in {Delay}.")]
    private partial void LogWatchFailed(Exception exception, BatcherKey batcher, TimeSpan delay);

    [LoggerMessage(14, LogLevel.Error, "Device of {Batcher} is broken; retrying in {Rest}: {Reason}")]
    private partial void LogBroken(BatcherKey batcher, TimeSpan rest, string reason);
}
