using Detection.Grains.Placement;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Health;

/// <summary>Creates the watches over the devices of a silo.</summary>
internal sealed class DeviceWatchFactory(
    IOptions<DeviceHealthOptions> options, SiloShutdown end, HealthMetrics metrics, TimeProvider time, ILogger<DeviceWatch> logger)
{
    /// <param name="key">The device and the model.</param>
    /// <param name="scoreFloor">The model's own score floor.</param>
    /// <param name="family">Its family; <see langword="null"/> to trust its scores.</param>
    public DeviceWatch Create(BatcherKey key, float scoreFloor, string? family = null) => new(
        key,
        new HealthTracker(options.Value.MaxErrors),
        new HealthProbe(scoreFloor, options.Value.ProbeTimeout, new PicturesOnDevice(time), time) { Family = family },
        end,
        metrics,
        time,
        logger);
}
