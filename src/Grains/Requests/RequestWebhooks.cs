using Detection.Contracts.Requests;
using Detection.Grains.Queueing;
using Detection.Grains.Webhooks;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Requests;

/// <summary>Webhooks of one request.</summary>
internal sealed class RequestWebhooks(RequestKey key, WebhookIntake intake, Enqueueing enqueueing, ILogger logger)
{
    /// <summary>
    /// Runs a request with a webhook. The webhook is registered first and removed when the request is not accepted, so that an accepted request
    /// always has its webhook.
    /// </summary>
    public async Task<RequestSnapshot> WithAsync(WebhookTerms webhook, RequestTerms terms, bool brought, Func<Task<RequestSnapshot>> request)
    {
        WebhookIntakeResult taken;
        try
        {
            taken = await intake.RegisterAsync(key, webhook, terms.Budget, terms.Caller);
        }
        catch (Exception e) when (RequestFailures.IsRefusal(e))
        {
            return logger.Refused(key, e);
        }

        if (taken.Refusal is { } refusal)
        {
            if (brought)
            {
                await enqueueing.LeavePictureAsync(refusal);
            }

            return refusal;
        }

        var snapshot = await request();
        switch (snapshot.Status)
        {
            case RequestStatus.Queued or RequestStatus.Running:
                break;
            case RequestStatus.Done:
                await EndedAsync();
                break;
            default:
                await intake.UnregisterAsync(taken);
                break;
        }

        return snapshot;
    }

    /// <summary>The request has ended.</summary>
    public Task EndedAsync() => intake.EndedAsync(key);
}
