using Detection.Hosting.Health;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Health;

internal static class ClusterHealthExtensions
{
    public static void AddClusterHealth(this IServiceCollection services)
    {
        services.AddHealthChecks();
        services.AddSingleton<ClusterHealthCheck>();
        services.AddOptions<HealthCheckServiceOptions>().Configure<IOptions<FrontendOptions>>(static (health, options) =>
            health.Registrations.Add(new HealthCheckRegistration(
                "cluster",
                static provider => provider.GetRequiredService<ClusterHealthCheck>(),
                HealthStatus.Unhealthy,
                [HealthEndpoints.Ready],
                options.Value.ReadinessTimeout)));
    }
}
