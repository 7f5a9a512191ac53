using Detection.Client;
using Detection.Contracts.Cluster;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Detection.Frontend.Health;

/// <summary>
/// Whether the cluster can serve the default model: its Redis answers, a silo with a device has the model, and a batcher of it
/// works. It does not look at the queue: a full one is full for every front end, and taking them all away would not empty it.
/// </summary>
internal sealed class ClusterHealthCheck(IDetectionClient client) : IHealthCheck
{
    /// <summary>Name under which the reasons stand in the data of the result.</summary>
    public const string Reasons = "reasons";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // The token ends after the registration's timeout, whatever the client is waiting for.
            var silos = await client.GetSilosAsync(cancellationToken).WaitAsync(cancellationToken);
            var (status, reasons) = Judge(silos);
            return new HealthCheckResult(status, data: new Dictionary<string, object> { [Reasons] = reasons });
        }
        catch (DetectionException e)
        {
            return Unhealthy($"Redis or the cluster cannot be reached: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            return Unhealthy("Redis did not answer in time.");
        }
    }

    private static HealthCheckResult Unhealthy(string reason) =>
        new(HealthStatus.Unhealthy, data: new Dictionary<string, object> { [Reasons] = new[] { reason } });

    private static (HealthStatus Status, IReadOnlyList<string> Reasons) Judge(IReadOnlyList<SiloReport> silos)
    {
        var reasons = silos.SelectMany(static silo => silo.Problems.Select(problem => $"{silo.Silo}: {problem}")).ToList();
        if (silos.Count == 0)
        {
            return (HealthStatus.Unhealthy, ["No silo has reported itself."]);
        }

        if (!silos.Any(static silo => silo.Devices.Count > 0))
        {
            return (HealthStatus.Unhealthy, [.. reasons, "No silo has a device."]);
        }

        return (reasons.Count == 0 ? HealthStatus.Healthy : HealthStatus.Degraded, reasons);
    }
}
