using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Detection.Hosting.Health;

/// <summary>The health endpoints of silos and front ends.</summary>
public static class HealthEndpoints
{
    /// <summary>Tag of the checks that belong to readiness.</summary>
    public const string Ready = "ready";

    /// <summary><c>/health/live</c>: the process responds. <c>/health/ready</c>: it can do its work; otherwise the JSON has the reasons.</summary>
    public static void MapDetectionHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/health/live", Answer(static _ => false)).AllowAnonymous();
        endpoints.MapHealthChecks("/health/ready", Answer(IsReadiness)).AllowAnonymous();
    }

    /// <summary>Whether a check belongs to readiness.</summary>
    public static bool IsReadiness(HealthCheckRegistration check)
    {
        ArgumentNullException.ThrowIfNull(check);
        return check.Tags.Contains(Ready);
    }

    /// <summary>The result of a check.</summary>
    /// <param name="status">Whether the process can do its work.</param>
    /// <param name="reasons">What is wrong, one sentence each.</param>
    public static HealthCheckResult Result(HealthStatus status, IReadOnlyList<string> reasons) => HealthBody.Result(status, reasons);

    private static HealthCheckOptions Answer(Func<HealthCheckRegistration, bool> predicate) => new()
    {
        Predicate = predicate,
        ResponseWriter = static (http, report) => http.Response.WriteAsJsonAsync(
            HealthBody.Of(report), HealthJson.Default.HealthBody, cancellationToken: http.RequestAborted),
    };
}
