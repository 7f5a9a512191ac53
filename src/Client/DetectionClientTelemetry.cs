namespace Detection.Client;

/// <summary>Names of the client's meter and activity source.</summary>
public static class DetectionClientTelemetry
{
    /// <summary>
    /// Name of the meter (<c>detection.client.request.duration</c> by <c>model</c> and <c>outcome</c>, <c>detection.client.requests.in_flight</c>):
    /// <c>metrics.AddMeter(DetectionClientTelemetry.MeterName)</c>.
    /// </summary>
    public const string MeterName = "Detection.Client";

    /// <summary>
    /// Name of the activity source: one activity <c>detect</c> for each request, with the tags <c>detection.image_key</c>, <c>detection.model</c> and
    /// <c>detection.outcome</c>. It is the parent of the silos' activities. <c>tracing.AddSource(DetectionClientTelemetry.ActivitySourceName)</c>.
    /// </summary>
    public const string ActivitySourceName = "Detection.Client";
}
