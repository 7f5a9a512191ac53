using Detection.Contracts.Cluster;
using Detection.Grains.Batching;
using Detection.Grains.Health;
using Detection.Grains.Placement;

namespace Detection.Grains.Devices;

/// <summary>The batcher of a model on a device. Starts a new one after the last has ended; there is none while the device is out of service.</summary>
internal sealed class ModelBatcher(BatcherKey key, DeviceSession session, DeviceWatch watch, BatcherFactory batchers)
{
    private readonly Lock _gate = new();
    private Batcher? _batcher;
    private bool _unloading;

    /// <summary>Starts the batcher unless it runs or the device is out of service. <see langword="false"/> when the model is being unloaded.</summary>
    public bool Ensure()
    {
        lock (_gate)
        {
            if (_unloading)
            {
                return false;
            }

            if (watch.Tracker.Serves && session.Current is { } current && _batcher is null or { Completion.IsCompleted: true })
            {
                _batcher = batchers.Start(key, current, watch);
            }

            return true;
        }
    }

    /// <summary>Starts no batcher any more.</summary>
    public void Unload()
    {
        lock (_gate)
        {
            _unloading = true;
        }
    }

    /// <summary>The report of the batcher and its device; <see langword="null"/> before the first batcher.</summary>
    public BatcherReport? Report()
    {
        var tracker = watch.Tracker;
        var batcher = _batcher;
        var report = batcher?.Report() ?? (tracker.Serves ? null : new BatcherReport(key.Device, key.Model, BatcherState.Starting, 0, 0, 0, 0, 0, 0));
        if (report is null)
        {
            return null;
        }

        report = report with { Health = tracker.State, DeviceErrors = tracker.Errors, Ailment = tracker.Reason };

        // Processes that do not know the health member yet must not take the device for a working one.
        return tracker.Serves ? report
            : report with { Rate = 0, State = report.State is BatcherState.Idle or BatcherState.Busy ? BatcherState.Starting : report.State };
    }

    /// <summary>Whether pictures are still on the device although the batcher waited for them.</summary>
    public bool HasHeldPictures => watch.OnDevice.AreHeld(2 * batchers.DrainTimeout);

    /// <summary>Stops the batcher; <see langword="false"/> when it still waits for its device.</summary>
    public async Task<bool> StopAsync()
    {
        if (_batcher is not { } batcher)
        {
            return true;
        }

        await batcher.DisposeAsync();
        return batcher.Completion.IsCompleted;
    }

    /// <summary>Frees the session; <see langword="false"/> when the batcher or a run on the device does not end.</summary>
    public async Task<bool> DisposeSessionAsync() =>
        session.Current is null || (_batcher is not { Completion.IsCompleted: false } && await session.DisposeAsync(batchers.DrainTimeout));
}
