using Detection.Contracts.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Batching;

/// <summary>Registers batching.</summary>
public static class BatchingExtensions
{
    /// <summary>Adds the factory of batchers and their metrics.</summary>
    public static IServiceCollection AddBatching(this IServiceCollection services)
    {
        services.AddValidatedOptions<BatcherOptions>(BatcherOptions.Section);
        services.AddSingleton<RecentWork>();
        services.AddSingleton<BatchingMetrics>();
        services.AddSingleton<BatchStores>();
        services.AddSingleton<BatchSettings>();
        return services.AddSingleton<BatcherFactory>();
    }
}
