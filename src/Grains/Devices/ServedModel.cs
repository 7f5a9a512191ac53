using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Grains.Health;

namespace Detection.Grains.Devices;

/// <summary>A model on a device of this silo: its session, the batcher that feeds it, and the watch over its health.</summary>
internal sealed class ServedModel(ModelInfo info, DeviceSession session, ModelBatcher batcher, DeviceWatch watch, DeviceRecovery recovery) : IAsyncDisposable
{
    /// <summary>What callers see of the model.</summary>
    public ModelInfo Info => info;

    /// <summary>Since when the repository has it no more.</summary>
    public DateTimeOffset? RetiredAt { get; set; }

    /// <summary>Its first invalid output, one sentence; <see langword="null"/> when there was none.</summary>
    public string? InvalidOutput => watch.InvalidOutput;

    /// <summary>Whether its device may be given pictures.</summary>
    public bool Serves => watch.Tracker.Serves;

    /// <summary>Whether its device is out of service and its file is another by now, so that this version cannot be loaded again.</summary>
    public bool IsLost => session.IsLost;

    /// <summary>Whether a run on it was ended and goes on, which only the end of the process ends.</summary>
    public bool HasHungRun => session.HasHungRun;

    /// <summary>Ends the silo because of a run that cannot be ended.</summary>
    public void EndSilo() => watch.ReportHungRun();

    /// <summary>Learns the boxes of the test picture and begins to watch over the device.</summary>
    public Task StartAsync() => recovery.StartAsync();

    /// <summary>
    /// Starts the batcher unless it runs or the device is out of service. <see langword="false"/> when the model is being unloaded.
    /// </summary>
    public bool EnsureBatcher() => batcher.Ensure();

    /// <summary>What the batcher does and how its device is; <see langword="null"/> before the first batcher.</summary>
    public BatcherReport? Report() => batcher.Report();

    /// <summary>Stops for good. <see langword="false"/> when a run hangs on the device, which cannot be freed then.</summary>
    public async Task<bool> StopAsync()
    {
        batcher.Unload();
        await recovery.StopAsync();
        return await batcher.StopAsync() && await batcher.DisposeSessionAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        recovery.Dispose();
    }
}
