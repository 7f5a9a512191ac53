using System.Text.Json;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Cluster;

namespace Detection.Grains.Webhooks;

/// <summary>
/// Writes what webhooks say: byte for byte what <c>GET /v1/detections/{imageKey}</c> answers after the end, but for the total time and
/// a problem's trace. The front end has the same forms as types that its OpenAPI document describes; a test compares the two.
/// </summary>
internal sealed class WebhookBodies(ClusterView cluster, ClusterClock time)
{
    /// <summary>What is to be said of the end of a request; <see langword="null"/> while the model's labels are not known.</summary>
    public WebhookPayload? Write(Webhook webhook, RequestSnapshot end)
    {
        if (end.Result is not { } result)
        {
            var (type, title, status) = Problem(end.Failure?.Reason);
            var problem = new WebhookProblem(
                $"/problems/{type}",
                title,
                status,
                end.Failure?.Message ?? "The deadline passed before there was a result.",
                $"/v1/detections/{webhook.Key.ImageKey}",
                webhook.Key.ImageKey);
            return new WebhookPayload("application/problem+json", JsonSerializer.SerializeToUtf8Bytes(problem, WebhookJson.Default.WebhookProblem));
        }

        if (cluster.Models.Find(webhook.Key.Model)?.Model is not { } model)
        {
            return null;
        }

        var timings = result.Timings;
        var answer = new WebhookAnswer(
            webhook.Key.ImageKey,
            result.Model,
            result.Width,
            result.Height,
            webhook.Choice.Threshold,
            "cached",
            Cached: true,
            [.. webhook.Choice.Of(result.Boxes, model.Labels)
                .Select(static found => new WebhookBox(found.Label, found.Box.ClassId, found.Box.Score, found.Box.X1, found.Box.Y1, found.Box.X2, found.Box.Y2))],
            new WebhookTimings(
                timings.Queue,
                timings.Decode,
                timings.Preprocess,
                timings.Inference,
                timings.Postprocess,
                Math.Max(0, (time.GetUtcNow() - webhook.SubmittedAt).TotalMilliseconds),
                timings.BatchSize));
        return new WebhookPayload("application/json", JsonSerializer.SerializeToUtf8Bytes(answer, WebhookJson.Default.WebhookAnswer));
    }

    private static (string Type, string Title, int Status) Problem(FailureReason? reason) => reason switch
    {
        null => ("deadline-exceeded", "The deadline passed", 504),
        FailureReason.NotAPicture => ("not-a-picture", "Not a picture", 400),
        FailureReason.Undecodable => ("undecodable", "The picture cannot be decoded", 422),
        FailureReason.Unsupported => ("unsupported-picture", "This kind of picture is not supported", 415),
        FailureReason.TooLarge => ("picture-too-large", "The picture is too large", 413),
        FailureReason.ModelGone => ("model-not-found", "No such model", 404),
        _ => ("inference-failed", "The model failed", 500),
    };
}

/// <summary>An answer as the front end writes it.</summary>
internal sealed record WebhookAnswer(
    string ImageKey,
    string Model,
    int Width,
    int Height,
    float Threshold,
    string Source,
    bool Cached,
    IReadOnlyList<WebhookBox> Boxes,
    WebhookTimings Timings);

/// <summary>A box of an answer.</summary>
internal sealed record WebhookBox(string Label, int ClassId, float Score, float X1, float Y1, float X2, float Y2);

/// <summary>The times of an answer; the total is that from the submission to the end.</summary>
internal sealed record WebhookTimings(
    double Queue, double Decode, double Preprocess, double Inference, double Postprocess, double Total, int BatchSize);

/// <summary>A problem document as the front end writes it.</summary>
internal sealed record WebhookProblem(string Type, string Title, int Status, string Detail, string Instance, string ImageKey);
