using Detection.Client;
using Detection.Contracts.Cluster;
using Detection.Hosting.Health;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Health;

/// <summary>
/// Checks whether the cluster can serve the default model: Redis answers, a silo has the model, a batcher of the model works, and a silo
/// accepts this process's connection. The queue is not checked: a full queue is full for every front end, and a load balancer would remove
/// all of them.
/// </summary>
internal sealed class ClusterHealthCheck(IDetectionClient client, IClusterReports reports, IOptions<DetectionClientOptions> options, ILocalSiloDetails? ownSilo = null) : IHealthCheck
{
    private readonly string _model = options.Value.DefaultModel;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // The token is cancelled after the registration's timeout; the client may wait longer.
            var silos = await reports.GetSilosAsync(cancellationToken).WaitAsync(cancellationToken);
            var (status, reasons) = Judge(silos);
            if (status != HealthStatus.Unhealthy)
            {
                await client.ConnectAsync(cancellationToken);
            }

            return HealthEndpoints.Result(status, reasons);
        }
        catch (DetectionException e)
        {
            return HealthEndpoints.Result(HealthStatus.Unhealthy, [e.Message]);
        }
        catch (OperationCanceledException)
        {
            return HealthEndpoints.Result(HealthStatus.Unhealthy, ["Redis, or the silos registered in it, did not respond in time."]);
        }
    }

    private static string Others(IReadOnlyList<SiloReport> silos)
    {
        var names = silos.SelectMany(static silo => silo.CurrentModels).Select(static model => model.Name).Distinct().Order(StringComparer.Ordinal).ToList();
        return names.Count == 0 ? "No model is served." : $"The silos have {string.Join(", ", names)}.";
    }

    private (HealthStatus Status, IReadOnlyList<string> Reasons) Judge(IReadOnlyList<SiloReport> silos)
    {
        // The check of a silo in this process lists that silo's problems.
        List<string> reasons = [.. silos.Where(silo => silo.Silo != ownSilo?.Name).SelectMany(static silo => silo.Problems.Select(problem => $"{silo.Silo}: {problem}"))];
        var works = false;
        foreach (var silo in silos)
        {
            var models = silo.CurrentModels.Where(model => model.Name == _model || model.Id == _model).Select(static model => model.Id).ToHashSet();
            foreach (var batcher in silo.Batchers)
            {
                if (batcher.State == BatcherState.Stuck)
                {
                    reasons.Add($"Device {batcher.Device} is stuck: it completes no batch of {batcher.Model}.");
                }

                works |= models.Contains(batcher.Model) && batcher.Works;
            }
        }

        if (!works)
        {
            reasons.Add(silos.Count == 0 ? "No silo is running."
                : silos.All(static silo => silo.Devices.Count == 0) ? "No silo has a device."
                : $"No device serves the model {_model}, the default of this front end (Detection:Client:DefaultModel), at this time. {Others(silos)}");
        }

        var flawless = reasons.Count == 0 && silos.All(static silo => silo.Problems.Count == 0);
        return (!works ? HealthStatus.Unhealthy : flawless ? HealthStatus.Healthy : HealthStatus.Degraded, reasons);
    }
}
