using Detection.Client;
using Detection.Contracts.Answers;

namespace Detection.Frontend.Api.Detections;

internal static class AnswerBodies
{
    /// <summary>The answer as it is written.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="total">Time of this request, in milliseconds.</param>
    public static DetectionBody ToBody(this DetectionAnswer answer, double total)
    {
        var timings = answer.Timings;
        return new DetectionBody(
            answer.ImageKey, answer.Model, answer.Width, answer.Height, answer.Threshold, answer.Source,
            answer.Source == AnswerSource.Cached,
            [.. answer.Objects.Select(o => new BoxBody(o.Label, o.ClassId, o.Score, o.X1, o.Y1, o.X2, o.Y2))],
            new TimingsBody(timings.Queue, timings.Decode, timings.Preprocess, timings.Inference, timings.Postprocess, total, timings.BatchSize));
    }
}
