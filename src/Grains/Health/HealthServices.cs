using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Health;

/// <summary>What the watch over a device is made of, the same for all of a silo.</summary>
internal sealed class HealthServices(
    IOptions<DeviceHealthOptions> options, SiloEnd end, HealthMetrics metrics, TimeProvider time, ILogger<DeviceWatch> logger)
{
    public DeviceHealthOptions Options => options.Value;

    public SiloEnd End => end;

    public HealthMetrics Metrics => metrics;

    public TimeProvider Time => time;

    public ILogger Logger => logger;
}

/// <summary>Registers the watch over devices.</summary>
public static class DeviceHealthServices
{
    /// <summary>Adds what watches over the silo's devices.</summary>
    public static IServiceCollection AddDeviceHealth(this IServiceCollection services)
    {
        services.AddSingleton<SiloEnd>();
        services.AddSingleton<HealthMetrics>();
        services.AddSingleton<HealthServices>();
        return services;
    }
}
