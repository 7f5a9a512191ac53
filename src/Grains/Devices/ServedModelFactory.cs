using Detection.Contracts.Models;
using Detection.Grains.Batching;
using Detection.Grains.Health;
using Detection.Grains.Placement;
using Detection.Inference.Devices;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Devices;

/// <summary>Creates the parts that serve a model on a device.</summary>
internal sealed class ServedModelFactory(
    BatcherFactory batchers, DeviceWatchFactory watches, IOptions<DeviceHealthOptions> options, TimeProvider time, ILogger<DeviceWatch> logger)
{
    /// <summary>Serves a loaded model.</summary>
    public ServedModel Create(BatcherKey key, IInferenceDevice device, ModelSource source, IModelSession loaded)
    {
        var info = Describe(source);
        var watch = watches.Create(key, info.ScoreFloor, info.Family);
        var session = new DeviceSession(device, source, loaded, time);
        var batcher = new ModelBatcher(key, session, watch, batchers);
        return new ServedModel(info, session, batcher, watch, new DeviceRecovery(key, session, batcher, watch, options.Value, time, logger));
    }

    private static ModelInfo Describe(ModelSource model) => new(
        model.Name,
        model.Version,
        model.Manifest.Family,
        model.Manifest.Input.Width,
        model.Manifest.Input.Height,
        model.Manifest.Labels,
        model.Manifest.ScoreFloor,
        model.Manifest.Threshold,
        model.Manifest.Iou);
}
