using System.ComponentModel.DataAnnotations;

namespace Detection.Hosting.Telemetry;

/// <summary>Metrics and traces: section <c>Detection:Telemetry</c>.</summary>
public sealed class TelemetryOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Telemetry";

    /// <summary>
    /// OTLP collector for metrics and traces, for example <c>http://collector:4317</c>. Default: the variable
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>. Without either, nothing is sent or traced.
    /// </summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>Protocol of the collector. Default: the variable <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, otherwise gRPC.</summary>
    public OtlpProtocol? OtlpProtocol { get; set; }

    /// <summary>Ratio of requests that are traced when the caller has not decided, 0 to 1; default 1.</summary>
    [Range(0.0, 1.0)]
    public double TraceRatio { get; set; } = 1;

    /// <summary>Whether the metrics are served at <c>/metrics</c> in the Prometheus text format; default true.</summary>
    public bool Prometheus { get; set; } = true;

    /// <summary>Whether the metrics of Orleans, which are many, are also served and sent; default false.</summary>
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
