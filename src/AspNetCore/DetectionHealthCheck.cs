using Detection.Client;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Detection.AspNetCore;

/// <summary>Checks whether the cluster can serve this application: Redis answers, a silo accepts the connection, and a model is served.</summary>
internal sealed class DetectionHealthCheck(IDetectionClient client) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // The token is cancelled after the registration's timeout; the client may wait longer.
            var models = await client.GetModelsAsync(cancellationToken).WaitAsync(cancellationToken);
            if (models.Count == 0)
            {
                return new HealthCheckResult(context.Registration.FailureStatus, "The detection cluster serves no model.");
            }

            await client.ConnectAsync(cancellationToken);
            return HealthCheckResult.Healthy($"The detection cluster serves {string.Join(", ", models.Select(static model => model.Id))}.");
        }
        catch (DetectionException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, e.Message, e);
        }
        catch (OperationCanceledException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, "The detection cluster did not respond in time.", e);
        }
    }
}
