using Detection.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Detection.AspNetCore;

/// <summary>Registers the health check of the client.</summary>
public static class DetectionHealthCheckExtensions
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Adds a health check: the cluster's Redis answers, a silo accepts the connection of this application, and a model is served. Use it for
    /// readiness, not for liveness: a restart of the application does not repair the cluster.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">Name of the check.</param>
    /// <param name="client">Name of the client; <see langword="null"/> for the one without a name.</param>
    /// <param name="failureStatus">Status of a failed check; <see langword="null"/> for unhealthy.</param>
    /// <param name="tags">Tags.</param>
    /// <param name="timeout">Maximum time of a check; <see langword="null"/> for 5 seconds.</param>
    public static IHealthChecksBuilder AddDetectionClient(
        this IHealthChecksBuilder builder,
        string name = "detection",
        string? client = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            name,
            services => new DetectionHealthCheck(
                client is null ? services.GetRequiredService<IDetectionClient>() : services.GetRequiredKeyedService<IDetectionClient>(client)),
            failureStatus,
            tags,
            timeout ?? Timeout));
    }
}
