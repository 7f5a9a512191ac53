using Detection.Grains.Health;
using Detection.Grains.Placement;
using Detection.Inference.Devices;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>Creates the batchers of a silo.</summary>
internal sealed class BatcherFactory(BatchStores stores, BatchSettings settings, BatchingMetrics metrics, ILogger<Batcher> logger)
{
    /// <summary>How long a stopping batcher waits for the pictures on its device.</summary>
    public TimeSpan DrainTimeout => settings.Batching.DrainTimeout;

    /// <summary>Starts a batcher.</summary>
    /// <param name="key">The device and the model.</param>
    /// <param name="session">The model on the device.</param>
    /// <param name="watch">Says whether the device may get more pictures. If not, the batcher stops by itself.</param>
    public Batcher Start(BatcherKey key, IModelSession session, DeviceWatch watch) =>
        new(new BatcherDevice(key, session, watch, new Throughput(stores.Clock)), stores, settings, metrics, logger);
}
