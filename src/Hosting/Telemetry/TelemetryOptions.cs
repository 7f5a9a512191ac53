using System.ComponentModel.DataAnnotations;

namespace Detection.Hosting.Telemetry;

/// <summary>Metrics and traces: section <c>Detection:Telemetry</c>.</summary>
public sealed class TelemetryOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Telemetry";

    /// <summary>
    /// OTLP collector that metrics and traces are sent to, for example <c>http://collector:4317</c>. Default: what
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says; without either nothing is sent, and nothing traced.
    /// </summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>How the collector is spoken to. Default: what <c>OTEL_EXPORTER_OTLP_PROTOCOL</c> says, else gRPC.</summary>
    public OtlpProtocol? OtlpProtocol { get; set; }

    /// <summary>Share of the requests that are traced when they come without a trace of their own, 0 to 1; default 1.</summary>
    [Range(0.0, 1.0)]
    public double TraceRatio { get; set; } = 1;

    /// <summary>Whether <c>/metrics</c> shows the metrics in the Prometheus text format; default true.</summary>
    public bool Prometheus { get; set; } = true;

    /// <summary>Whether the many metrics of Orleans itself are shown and sent as well; default false.</summary>
    public bool OrleansMetrics { get; set; }
}

/// <summary>Transport of OTLP.</summary>
public enum OtlpProtocol
{
    /// <summary>gRPC, usually on port 4317.</summary>
    Grpc,

    /// <summary>HTTP with protobuf bodies, usually on port 4318.</summary>
    Http,
}
