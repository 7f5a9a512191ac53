using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Health;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: requests can be served.</summary>
internal static class HealthEndpoints
{
    private const string Ready = "ready";

    public static void AddClusterHealth(this IServiceCollection services)
    {
        services.AddHealthChecks();
        services.AddJson(HealthJson.Default);
        services.AddSingleton<ClusterHealthCheck>();
        services.AddOptions<HealthCheckServiceOptions>().Configure<IOptions<FrontendOptions>>(static (health, options) =>
            health.Registrations.Add(new HealthCheckRegistration(
                "cluster",
                static provider => provider.GetRequiredService<ClusterHealthCheck>(),
                HealthStatus.Unhealthy,
                [Ready],
                options.Value.ReadinessTimeout)));
    }

    public static void MapClusterHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", Answer(static _ => false)).AllowAnonymous();
        routes.MapHealthChecks("/health/ready", Answer(IsReadiness)).AllowAnonymous();
    }

    /// <summary>Whether a check belongs to readiness.</summary>
    public static bool IsReadiness(HealthCheckRegistration check) => check.Tags.Contains(Ready);

    private static HealthCheckOptions Answer(Func<HealthCheckRegistration, bool> predicate) => new()
    {
        Predicate = predicate,
        ResponseWriter = static (http, report) => http.Response.WriteAsJsonAsync(
            HealthBody.Of(report), HealthJson.Default.HealthBody, cancellationToken: http.RequestAborted),
    };
}

/// <summary>Whether the service can be used, and what is wrong.</summary>
/// <param name="Status">healthy, degraded (works, but something is wrong) or unhealthy.</param>
/// <param name="Reasons">What is wrong, one sentence each.</param>
internal sealed record HealthBody(HealthStatus Status, IReadOnlyList<string> Reasons)
{
    public static HealthBody Of(HealthReport report) => new(
        report.Status,
        [.. report.Entries.Values.SelectMany(static entry =>
            entry.Data.TryGetValue(ClusterHealthCheck.Reasons, out var reasons) ? (IEnumerable<string>)reasons
            : entry.Description is { Length: > 0 } description ? [description]
            : [])]);
}
