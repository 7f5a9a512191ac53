using Detection.Contracts.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Health;

/// <summary>Registers the watch over devices.</summary>
public static class HealthExtensions
{
    /// <summary>Adds the watch over the silo's devices.</summary>
    public static IServiceCollection AddDeviceHealth(this IServiceCollection services)
    {
        services.AddValidatedOptions<DeviceHealthOptions>(DeviceHealthOptions.Section);
        services.AddSingleton<SiloShutdown>();
        services.AddSingleton<HealthMetrics>();
        return services.AddSingleton<DeviceWatchFactory>();
    }
}
