namespace Detection.Client;

/// <summary>The names under which the client is measured and traced.</summary>
public static class DetectionClientTelemetry
{
    /// <summary>
    /// Name of the meter (<c>detection.client.request.duration</c> by <c>model</c> and <c>outcome</c>, <c>detection.client.requests.in_flight</c>):
    /// <c>metrics.AddMeter(DetectionClientTelemetry.MeterName)</c>.
    /// </summary>
    public const string MeterName = "Detection.Client";

    /// <summary>
    /// Name of the source of activities: one <c>detect</c> for each request, with the tags <c>detection.image_key</c>, <c>detection.model</c> and
    /// <c>detection.outcome</c>; the silos' activities are below it. <c>tracing.AddSource(DetectionClientTelemetry.ActivitySourceName)</c>.
    /// </summary>
    public const string ActivitySourceName = "Detection.Client";
}
