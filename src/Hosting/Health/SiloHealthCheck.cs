using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Detection.Grains.Reporting;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Detection.Hosting.Health;

/// <summary>
/// Whether this silo can do its work: it is a member of the cluster and reaches Redis, every device has a model, no batcher is stuck, a device is
/// in service, and it was not drained.
/// </summary>
internal sealed class SiloHealthCheck(ISiloStatusOracle membership, ISiloReports reports, IConnectionMultiplexer redis) : IHealthCheck
{
    private static readonly TimeSpan RedisTimeout = TimeSpan.FromSeconds(1);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        if (membership.CurrentStatus != SiloStatus.Active)
        {
            reasons.Add($"The silo is not a member of the cluster: {membership.CurrentStatus}.");
        }

        try
        {
            await redis.GetDatabase().PingAsync().WaitAsync(RedisTimeout, cancellationToken);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) || e is TimeoutException)
        {
            reasons.Add("Redis cannot be reached.");
        }

        // No request for a model reaches a silo before its report names the model.
        var report = reports.Report();
        if (report.IsDrained)
        {
            reasons.Add("The silo was drained by an administrator. Restart it to let it serve again.");
        }

        foreach (var device in report.IsDrained ? [] : report.Devices)
        {
            if (reports.Written is not { } written || written.Batchers.All(batcher => batcher.Device != device.Id))
            {
                reasons.Add($"Device {device.Id} has no batcher: its model is still loading, or none could be loaded.");
            }
        }

        reasons.AddRange(report.Batchers
            .Where(batcher => batcher.State == BatcherState.Stuck)
            .Select(batcher => $"The batcher of {batcher.Model} on {batcher.Device} is stuck with {batcher.InFlight} pictures."));
        var outOfService = report.Batchers.Count(static batcher => batcher.IsOutOfService);
        if (outOfService > 0 && outOfService == report.Batchers.Count)
        {
            reasons.Add("No device is in service.");
        }

        return reasons.Count == 0
            ? HealthBody.Result(outOfService > 0 ? HealthStatus.Degraded : HealthStatus.Healthy, [.. report.Problems])
            : HealthBody.Result(HealthStatus.Unhealthy, [.. reasons, .. report.Problems]);
    }
}
