using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Cluster;

/// <summary>Registers the silo's view of its cluster.</summary>
public static class ClusterExtensions
{
    /// <summary>Adds the hosted service that updates the view. Call it after Orleans was added, so that it stops before Orleans.</summary>
    public static IServiceCollection AddClusterView(this IServiceCollection services) =>
        services.AddSingleton<ClusterView>().AddHostedService(static provider => provider.GetRequiredService<ClusterView>());
}
