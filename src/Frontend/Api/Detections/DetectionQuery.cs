using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Api.Detections;

/// <summary>The query parameters of all requests for an answer.</summary>
internal class AnswerQuery
{
    [FromQuery(Name = "threshold"), Range(0.0, 1.0)]
    [Description("Lowest score of an object. Default: the threshold of the model. Objects with a score below the model's floor are never stored.")]
    public float? Threshold { get; init; }

    [FromQuery(Name = "model"), MaxLength(200)]
    [Description("Model, as name or name@version. Default: the server's default model.")]
    public string? Model { get; init; }

    [FromQuery(Name = "iou"), Range(0.001, 1.0)]
    [Description("Overlap (intersection over union) at which the weaker of two boxes of a class is dropped. Default: the value of the model.")]
    public float? Iou { get; init; }

    [FromQuery(Name = "max"), Range(1, 10_000)]
    [Description("Maximum number of objects to return, those with the highest scores. Default: all.")]
    public int? Max { get; init; }

    [FromQuery(Name = "labels"), MaxLength(4000)]
    [Description("Labels to return, separated by commas. Case is ignored. Default: all.")]
    public string? Labels { get; init; }

    /// <summary>The parameters that have a value, besides the model.</summary>
    public IEnumerable<KeyValuePair<string, string>> Chosen()
    {
        static string Text(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return new (string Name, object? Value)[] { ("iou", Iou), ("threshold", Threshold), ("max", Max), ("labels", Labels) }
            .Where(static pair => pair.Value is not null)
            .Select(static pair => KeyValuePair.Create(pair.Name, Text(pair.Value!)));
    }

    public AnswerQuery Copy() => (AnswerQuery)MemberwiseClone();

    /// <exception cref="ProblemException">A value is out of its range.</exception>
    public virtual DetectionOptions ToOptions()
    {
        var faults = new List<ValidationResult>();
        if (!Validator.TryValidateObject(this, new ValidationContext(this), faults, validateAllProperties: true))
        {
            throw new ProblemException(ProblemType.InvalidRequest, string.Join(' ', faults.Select(fault => fault.ErrorMessage)));
        }

        return new DetectionOptions
        {
            Threshold = Threshold,
            Model = string.IsNullOrWhiteSpace(Model) ? null : Model,
            Iou = Iou,
            MaxObjects = Max,
            Labels = Labels?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        };
    }
}

/// <summary>The query parameters of requests that send pictures.</summary>
internal class BatchQuery : AnswerQuery
{
    [FromQuery(Name = "timeout"), Range(0.1, 60.0)]
    [Description("Deadline of the request in seconds. Default: a setting of the server.")]
    public double? Timeout { get; init; }

    public override DetectionOptions ToOptions() =>
        base.ToOptions() with { Deadline = Timeout is { } seconds ? TimeSpan.FromSeconds(seconds) : null };
}

/// <summary>The query parameters of a request that sends one picture.</summary>
internal sealed class DetectionQuery : BatchQuery
{
    [FromQuery(Name = "async")]
    [Description("Whether to answer 202 with the address of the answer instead of waiting for the answer. The header `Prefer: respond-async` does the same. The default timeout is then 60 seconds.")]
    public bool? Async { get; init; }

    [FromQuery(Name = "webhook"), MaxLength(2000)]
    [Description("http(s) URL that receives a POST when the asynchronous request ends: the body of GET /v1/detections/{imageKey}, signed according to Standard Webhooks. Private, loopback and link-local addresses are refused unless a setting opens them.")]
    public string? Webhook { get; init; }

    /// <summary>The webhook's URL; <see langword="null"/> for none.</summary>
    /// <param name="isAsync">Whether the caller does not wait for the answer.</param>
    /// <exception cref="ProblemException">It is not a URL, or the caller waits for the answer.</exception>
    public Uri? ToWebhook(bool isAsync)
    {
        if (string.IsNullOrEmpty(Webhook))
        {
            return null;
        }

        if (!isAsync)
        {
            throw new ProblemException(ProblemType.InvalidRequest, "A 'webhook' needs 'async=true' or 'Prefer: respond-async'.");
        }

        return UrlParameter.Parse("webhook", Webhook);
    }
}

/// <summary>The query parameters of a request for an earlier answer.</summary>
internal sealed class FindQuery : AnswerQuery
{
    [FromQuery(Name = "wait"), Range(0.0, 60.0)]
    [Description("Seconds to wait for the answer of a request in progress. Default: 0.")]
    public double? Wait { get; init; }
}
