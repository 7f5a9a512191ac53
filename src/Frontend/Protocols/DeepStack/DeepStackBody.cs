using System.Text.Json.Serialization;
using Detection.Contracts.Answers;

namespace Detection.Frontend.Protocols.DeepStack;

/// <summary>The objects found, in the form that clients of DeepStack and of CodeProject.AI read.</summary>
/// <param name="Success">Always true; a failure is a <see cref="DeepStackFailure"/>.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Count">Number of predictions.</param>
/// <param name="Predictions">The objects, highest confidence first.</param>
/// <param name="Code">The HTTP status.</param>
/// <param name="InferenceMs">Duration of the model's run, in whole milliseconds.</param>
/// <param name="ProcessMs">Duration of this request, in whole milliseconds.</param>
/// <param name="Duration">Duration of this request in seconds, as in DeepStack.</param>
internal sealed record DeepStackBody(
    bool Success,
    string Message,
    int Count,
    IReadOnlyList<DeepStackPrediction> Predictions,
    int Code,
    int InferenceMs,
    int ProcessMs,
    double Duration)
{
    /// <param name="answer">The answer.</param>
    /// <param name="labels">Labels to return, ignoring case; <see langword="null"/> for all.</param>
    /// <param name="max">Maximum number of predictions; <see langword="null"/> for all.</param>
    /// <param name="total">Duration of this request.</param>
    public static DeepStackBody Of(DetectionAnswer answer, IReadOnlyCollection<string>? labels, int? max, TimeSpan total)
    {
        DeepStackPrediction[] predictions =
        [
            .. answer.Objects.Where(o => labels is null || labels.Contains(answer.LabelOf(o), StringComparer.OrdinalIgnoreCase)).Take(max ?? int.MaxValue).Select(o => new DeepStackPrediction(
                answer.LabelOf(o), o.Score, (int)MathF.Round(o.X1), (int)MathF.Round(o.Y1), (int)MathF.Round(o.X2), (int)MathF.Round(o.Y2))),
        ];
        var found = string.Join(", ", predictions.Select(static p => p.Label).Distinct());
        return new DeepStackBody(
            true,
            predictions.Length == 0 ? "No objects found" : "Found " + found,
            predictions.Length,
            predictions,
            StatusCodes.Status200OK,
            (int)Math.Round(answer.Timings.Inference),
            (int)Math.Round(total.TotalMilliseconds),
            total.TotalSeconds);
    }
}

/// <summary>One object in a picture.</summary>
/// <param name="Label">Name of its class.</param>
/// <param name="Confidence">0 to 1.</param>
/// <param name="XMin">Left edge, in whole pixels of the upright picture.</param>
/// <param name="YMin">Top edge.</param>
/// <param name="XMax">Right edge.</param>
/// <param name="YMax">Bottom edge.</param>
internal sealed record DeepStackPrediction(
    string Label,
    float Confidence,
    [property: JsonPropertyName("x_min")] int XMin,
    [property: JsonPropertyName("y_min")] int YMin,
    [property: JsonPropertyName("x_max")] int XMax,
    [property: JsonPropertyName("y_max")] int YMax);

/// <summary>The models that are served, in the form that clients of DeepStack and of CodeProject.AI read.</summary>
/// <param name="Success">Always true.</param>
/// <param name="Models">Their names.</param>
/// <param name="Code">The HTTP status.</param>
internal sealed record DeepStackModels(bool Success, IReadOnlyList<string> Models, int Code);

/// <summary>The answer to a ping, in the form that clients of CodeProject.AI read.</summary>
/// <param name="Success">Always true.</param>
/// <param name="Code">The HTTP status.</param>
internal sealed record DeepStackPing(bool Success, int Code);

/// <summary>A failure, in the form that clients of DeepStack and of CodeProject.AI read.</summary>
/// <param name="Success">Always false.</param>
/// <param name="Error">One sentence for a person.</param>
/// <param name="Code">The HTTP status.</param>
internal sealed record DeepStackFailure(bool Success, string Error, int Code);
