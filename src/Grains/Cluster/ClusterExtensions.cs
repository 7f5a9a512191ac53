using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Cluster;

/// <summary>Registers what a silo knows of its cluster.</summary>
public static class ClusterExtensions
{
    /// <summary>Adds the hosted service that keeps the view up to date. To be called after Orleans was added, so that it stops before.</summary>
    public static IServiceCollection AddClusterView(this IServiceCollection services) =>
        services.AddSingleton<ClusterView>().AddHostedService(static provider => provider.GetRequiredService<ClusterView>());
}
