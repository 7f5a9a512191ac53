using System.Reflection;
using Detection.Contracts.Settings;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Instrumentation.AspNetCore;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Detection.Hosting.Telemetry;

/// <summary>Metrics and traces of a process, with OpenTelemetry.</summary>
public static class TelemetryExtensions
{
    /// <summary>Path of the metrics for Prometheus.</summary>
    public const string MetricsPath = "/metrics";

    /// <summary>The standard setting (OpenTelemetry specification, OTLP exporter) that turns sending on.</summary>
    private const string StandardEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Collects this process's metrics and, when a collector is configured, traces, according to the section <c>Detection:Telemetry</c>.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="service">Name of the service, unless <c>OTEL_SERVICE_NAME</c> sets another one.</param>
    public static WebApplicationBuilder AddDetectionTelemetry(this WebApplicationBuilder builder, string service)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var configuration = builder.Configuration;
        builder.Services.AddValidatedOptions<TelemetryOptions>(TelemetryOptions.Section);
        var options = configuration.ReadValidated<TelemetryOptions>(TelemetryOptions.Section);
        var sends = options.OtlpEndpoint is not null || !string.IsNullOrEmpty(configuration[StandardEndpoint]);
        if (!sends && !options.Prometheus)
        {
            return builder;
        }

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(
                configuration["OTEL_SERVICE_NAME"] ?? service,
                serviceVersion: typeof(TelemetryExtensions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion))
            .WithMetrics(metrics => AddMeters(metrics, options));
        if (!sends)
        {
            return builder;
        }

        builder.Services.AddProbePaths("/health", MetricsPath);
        builder.Services.AddOptions<AspNetCoreTraceInstrumentationOptions>().Configure<IOptions<ProbePaths>>(
            static (http, probes) => http.Filter = context => !probes.Value.Contains(context.Request.Path));
        telemetry.WithTracing(traces => traces
            .AddSource("Detection.*", "Microsoft.Orleans.Application")
            .AddAspNetCoreInstrumentation()
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(options.TraceRatio))));
        if (options.OtlpEndpoint is { } endpoint)
        {
            var protocol = options.OtlpProtocol
                ?? (configuration["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf" ? OtlpProtocol.Http : OtlpProtocol.Grpc);
            telemetry.UseOtlpExporter(protocol == OtlpProtocol.Http ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc, endpoint);
        }
        else
        {
            telemetry.UseOtlpExporter();
        }

        return builder;
    }

    /// <summary><c>/metrics</c>, unless it is disabled.</summary>
    public static void MapDetectionMetrics(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var options = app.Configuration.ReadValidated<TelemetryOptions>(TelemetryOptions.Section);
        if (options.Prometheus)
        {
            app.MapPrometheusScrapingEndpoint(MetricsPath);
        }
    }

    /// <summary>Excludes paths, and everything below them, from the traces: probes would fill them.</summary>
    public static void AddProbePaths(this IServiceCollection services, params string[] paths) =>
        services.Configure<ProbePaths>(probes => Array.ForEach(paths, path => probes.Add(path)));

    private static void AddMeters(MeterProviderBuilder metrics, TelemetryOptions options)
    {
        metrics.AddMeter("Detection.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime");
        if (options.OrleansMetrics)
        {
            metrics.AddMeter("Microsoft.Orleans");
        }

        if (options.Prometheus)
        {
            // Each reader gets current values, not those of the last reader. Concurrent readers share one collection.
            metrics.AddPrometheusExporter(static prometheus => prometheus.ScrapeResponseCacheDurationMilliseconds = 0);
        }
    }
}
