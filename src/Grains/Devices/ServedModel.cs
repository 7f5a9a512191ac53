using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Grains.Health;

namespace Detection.Grains.Devices;

/// <summary>A model on a device of this silo: its session, its batcher, and the watch over the device.</summary>
internal sealed class ServedModel(ModelInfo info, DeviceSession session, ModelBatcher batcher, DeviceWatch watch, DeviceRecovery recovery) : IAsyncDisposable
{
    /// <summary>Description of the model for callers.</summary>
    public ModelInfo Info => info;

    /// <summary>When its files were removed from the repository; <see langword="null"/> while they are there.</summary>
    public DateTimeOffset? RetiredAt { get; set; }

    /// <summary>Its first invalid output, in one sentence; <see langword="null"/> when there was none.</summary>
    public string? InvalidOutput => watch.InvalidOutput;

    /// <summary>Whether its device may get pictures.</summary>
    public bool Serves => watch.Tracker.Serves;

    /// <summary>Whether its device is out of service and its file has changed, so that this version cannot be loaded again.</summary>
    public bool IsLost => session.IsLost;

    /// <summary>Whether a run was ended but still occupies the device. Only the end of the process ends such a run.</summary>
    public bool HasHungRun => session.HasHungRun;

    /// <summary>Ends the silo because of a run that cannot be ended.</summary>
    public void EndSilo() => watch.ReportHungRun();

    /// <summary>Records the boxes of the test picture and starts to watch the device.</summary>
    public Task StartAsync() => recovery.StartAsync();

    /// <summary>Retries a device that is out of service at once.</summary>
    public void RetryNow() => recovery.RetryNow();

    /// <summary>Starts the batcher unless it runs or the device is out of service. <see langword="false"/> when the model is being unloaded.</summary>
    public bool EnsureBatcher() => batcher.Ensure();

    /// <summary>The report of the batcher and its device; <see langword="null"/> before the first batcher.</summary>
    public BatcherReport? Report() => batcher.Report();

    /// <summary>Stops permanently. <see langword="false"/> when a run hangs on the device, which then cannot be freed.</summary>
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
