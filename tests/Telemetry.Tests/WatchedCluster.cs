using System.Globalization;

[assembly: AssemblyFixture(typeof(Detection.Telemetry.Tests.WatchedCluster))]

namespace Detection.Telemetry.Tests;

/// <summary>
/// A silo and a front end that send to a collector. The front end has a separate management address, and the product's setting names its
/// collector; the silo has the dashboard, and the standard variable names its collector.
/// </summary>
public sealed class WatchedCluster : IAsyncLifetime
{
    private readonly Collector _collector = new();
    private readonly int _managementPort = LoopbackPorts.Next();
    private DetectionCluster? _cluster;
    private HttpClient? _management;

    internal Collector Collector => _collector;

    public DetectionProcess Frontend => _cluster!.Frontends[0];

    public DetectionProcess Silo => _cluster!.Silos[0];

    /// <summary>The front end's management address.</summary>
    public HttpClient Management => _management!;

    public async ValueTask InitializeAsync()
    {
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_managementPort}");
        _management = new HttpClient { BaseAddress = new Uri(url) };
        _cluster = await DetectionCluster.StartAsync(silos: 0, frontends: 0, new Dictionary<string, string?>
        {
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
        });
        _cluster.AddSilo(new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _collector.Url.ToString(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["Detection__Management__OrleansDashboard"] = "true",
            ["Detection__Webhooks__Secret"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        });
        _cluster.AddFrontend(new Dictionary<string, string?>
        {
            ["Detection__Telemetry__OtlpEndpoint"] = _collector.Url.ToString(),
            ["Detection__Telemetry__OtlpProtocol"] = "Http",
            ["Detection__Management__Url"] = url,
        });
        await _cluster.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _management?.Dispose();
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        await _collector.DisposeAsync();
    }
}
