using Detection.Contracts.Results;
using Detection.Objects;

namespace Detection.Contracts.Answers;

/// <summary>What was found in a picture.</summary>
/// <param name="ImageKey">Name of the picture, 64 lower-case hex digits (see <see cref="Pictures.ImageKeys"/>), under which the answer is read again.</param>
/// <param name="Model">The model that ran, <c>name@version</c>.</param>
/// <param name="Width">Width of the upright picture, in pixels.</param>
/// <param name="Height">Height of the upright picture, in pixels.</param>
/// <param name="Objects">What was found, highest score first.</param>
/// <param name="Labels">The model's labels: the names of the objects' classes.</param>
/// <param name="Threshold">Lowest score of an object: the requested threshold, or the model's score floor where that is higher.</param>
/// <param name="Source">Where the answer came from.</param>
/// <param name="Timings">Durations of the stages of the run that computed the result.</param>
public sealed record DetectionAnswer(
    string ImageKey,
    string Model,
    int Width,
    int Height,
    IReadOnlyList<DetectedObject> Objects,
    IReadOnlyList<string> Labels,
    float Threshold,
    AnswerSource Source,
    StageTimings Timings)
{
    /// <summary>The objects of a result that a caller chose.</summary>
    /// <param name="imageKey">Name of the picture.</param>
    /// <param name="result">The result.</param>
    /// <param name="labels">The labels of its model.</param>
    /// <param name="choice">The caller's choice.</param>
    /// <param name="source">Where it came from.</param>
    public static DetectionAnswer Of(string imageKey, DetectionResult result, IReadOnlyList<string> labels, BoxChoice choice, AnswerSource source)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(choice);
        return new(imageKey, result.Model, result.Width, result.Height, choice.Of(result.Boxes, labels), labels, choice.Threshold, source, result.Timings);
    }

    /// <summary>Name of an object's class.</summary>
    /// <param name="found">One of <see cref="Objects"/>.</param>
    public string LabelOf(DetectedObject found) => found.LabelIn(Labels);

    /// <summary>The answer as it is written in JSON.</summary>
    /// <param name="total">Time of the request, in milliseconds.</param>
    public DetectionBody ToBody(double total)
    {
        var boxes = new BoxBody[Objects.Count];
        for (var i = 0; i < boxes.Length; i++)
        {
            boxes[i] = Objects[i].ToBody(Labels);
        }

        return new DetectionBody(
            ImageKey, Model, Width, Height, Threshold, Source, Source == AnswerSource.Cached, boxes,
            new TimingsBody(Timings.Queue, Timings.Decode, Timings.Preprocess, Timings.Inference, Timings.Postprocess, total, Timings.BatchSize));
    }
}
