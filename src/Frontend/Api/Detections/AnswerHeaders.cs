using System.Globalization;
using Detection.Contracts.Answers;

namespace Detection.Frontend.Api.Detections;

/// <summary>The headers that say where an answer came from and where the time went.</summary>
internal static class AnswerHeaders
{
    public const string Cache = "X-Cache";
    public const string ServerTiming = "Server-Timing";

    public static void Write(HttpResponse response, DetectionAnswer answer, double total)
    {
        response.Headers[Cache] = answer.Source switch
        {
            AnswerSource.Cached => "hit",
            AnswerSource.Joined => "joined",
            _ => "miss",
        };
        response.Headers.CacheControl = "no-store";

        // A cached answer's stages took their time in another request.
        var t = answer.Timings;
        response.Headers[ServerTiming] = answer.Source == AnswerSource.Cached
            ? string.Create(CultureInfo.InvariantCulture, $"total;dur={total:0.##}")
            : string.Create(CultureInfo.InvariantCulture,
                $"queue;dur={t.Queue:0.##}, decode;dur={t.Decode:0.##}, preprocess;dur={t.Preprocess:0.##}, inference;dur={t.Inference:0.##}, postprocess;dur={t.Postprocess:0.##}, total;dur={total:0.##}");
    }
}
