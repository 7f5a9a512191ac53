using System.Text.Json;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Cluster;

namespace Detection.Grains.Webhooks;

/// <summary>
/// Writes the bodies of webhooks: byte for byte the answer of <c>GET /v1/detections/{imageKey}</c> after the end, except the total time and a
/// problem's trace. A test compares the two.
/// </summary>
internal sealed class WebhookBodies(ClusterView cluster, ClusterClock time)
{
    /// <summary>The content about the end of a request; <see langword="null"/> while the model's labels are not known.</summary>
    public WebhookPayload? Write(Webhook webhook, RequestSnapshot end)
    {
        if (end.Result is not { } result)
        {
            var type = end.Failure is { } failure ? ProblemType.Of(failure.Reason) : ProblemType.DeadlineExceeded;
            var problem = new WebhookProblem(
                type.Uri,
                type.Title,
                type.Status,
                end.Failure?.Message ?? "The deadline passed before there was a result.",
                $"/v1/detections/{webhook.Key.ImageKey}",
                webhook.Key.ImageKey);
            return new WebhookPayload("application/problem+json", JsonSerializer.SerializeToUtf8Bytes(problem, WebhookJson.Default.WebhookProblem));
        }

        if (cluster.Models.Find(webhook.Key.Model)?.Model is not { } model)
        {
            return null;
        }

        var answer = DetectionAnswer.Of(webhook.Key.ImageKey, result, model.Labels, webhook.Choice, AnswerSource.Cached)
            .ToBody(Math.Max(0, (time.GetUtcNow() - webhook.SubmittedAt).TotalMilliseconds));
        return new WebhookPayload("application/json", JsonSerializer.SerializeToUtf8Bytes(answer, WebhookJson.Default.DetectionBody));
    }
}

/// <summary>A problem document in the format of the front end.</summary>
internal sealed record WebhookProblem(string Type, string Title, int Status, string Detail, string Instance, string ImageKey);
