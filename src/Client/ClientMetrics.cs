using System.Diagnostics;
using System.Diagnostics.Metrics;
using Detection.Contracts.Answers;
using Detection.Objects;

namespace Detection.Client;

/// <summary>The meter <c>Detection.Client</c> and the activity source of the client: requests of this process and their outcomes.</summary>
internal static class ClientMetrics
{
    private static readonly Meter Meter = new(DetectionClientTelemetry.MeterName);
    private static readonly ActivitySource Source = new(DetectionClientTelemetry.ActivitySourceName);
    private static readonly string[] Failures = Array.ConvertAll(Enum.GetNames<FailureReason>(), Lower);
    private static readonly string[] Sources = Array.ConvertAll(Enum.GetNames<AnswerSource>(), Lower);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "detection.client.request.duration",
        "s",
        "Time of a request for a picture, by outcome: computed, joined or cached for an answer, accepted for an asynchronous one, else the reason of the failure.",
        null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] });

    private static long _inFlight;

    static ClientMetrics() => Meter.CreateObservableGauge(
        "detection.client.requests.in_flight", static () => Volatile.Read(ref _inFlight), "{request}", "Requests for pictures that have no answer yet.");

    /// <summary>The outcome of an answer.</summary>
    public static string Outcome(AnswerSource source) => Sources[(int)source];

    /// <summary>The outcome of a failure.</summary>
    public static string Outcome(FailureReason reason) => Failures.ElementAtOrDefault((int)reason) ?? Failures[0];

    /// <summary>Counts the start of a request. Returns its span, or <see langword="null"/> when the request is not traced.</summary>
    public static Activity? Begin()
    {
        Interlocked.Increment(ref _inFlight);
        return Source.StartActivity("detect", ActivityKind.Client);
    }

    /// <summary>Records the end of a request.</summary>
    public static void End(Activity? span, string? imageKey, string model, string outcome, TimeSpan duration)
    {
        Interlocked.Decrement(ref _inFlight);
        Duration.Record(duration.TotalSeconds, new("model", model), new KeyValuePair<string, object?>("outcome", outcome));
        if (span is not null)
        {
            span.SetTag("detection.image_key", imageKey);
            span.SetTag("detection.model", model);
            span.SetTag("detection.outcome", outcome);
            span.Dispose();
        }
    }

    private static string Lower(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
