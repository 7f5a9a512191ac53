using System.Collections.Concurrent;
using System.Net;

namespace Detection.Telemetry.Tests;

/// <summary>
/// A minimal OpenTelemetry collector: it receives OTLP over HTTP with protobuf bodies, and keeps the spans and the names of the
/// metrics. The field numbers are those of opentelemetry-proto 1.x (trace.proto, metrics.proto).
/// </summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly LoopbackServer _server;
    private readonly ConcurrentQueue<Span> _spans = [];
    private readonly ConcurrentDictionary<(string Service, string Metric), bool> _metrics = [];

    public Collector() => _server = new LoopbackServer(KeepAsync);

    public Uri Url => _server.Url;

    /// <summary>All spans received so far.</summary>
    public IReadOnlyList<Span> Spans => [.. _spans];

    /// <summary>Whether a service sent a metric.</summary>
    public bool Has(string service, string metric) => _metrics.ContainsKey((service, metric));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task KeepAsync(HttpListenerContext context)
    {
        using var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body);
        switch (context.Request.Url!.AbsolutePath)
        {
            case "/v1/traces":
                KeepSpans(body.ToArray());
                break;
            case "/v1/metrics":
                KeepMetrics(body.ToArray());
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }

        context.Response.Close();
    }

    private void KeepSpans(ReadOnlyMemory<byte> export)
    {
        foreach (var (service, scope) in Scopes(export))
        {
            foreach (var span in Protobuf.All(scope, 2))
            {
                _spans.Enqueue(new Span(
                    service,
                    Protobuf.Hex(span, 1),
                    Protobuf.Hex(span, 2),
                    Protobuf.Hex(span, 4),
                    Protobuf.Text(span, 5),
                    Attributes(span, 9),
                    [.. Protobuf.All(span, 13).Select(static link => Protobuf.Hex(link, 2))]));
            }
        }
    }

    private void KeepMetrics(ReadOnlyMemory<byte> export)
    {
        foreach (var (service, scope) in Scopes(export))
        {
            foreach (var metric in Protobuf.All(scope, 2))
            {
                _metrics[(service, Protobuf.Text(metric, 1))] = true;
            }
        }
    }

    /// <summary>Traces and metrics have the same structure: resources with a name, which contain scopes.</summary>
    private static IEnumerable<(string Service, ReadOnlyMemory<byte> Scope)> Scopes(ReadOnlyMemory<byte> export) =>
        from resource in Protobuf.All(export, 1)
        let service = Protobuf.All(resource, 1).SelectMany(static r => Attributes(r, 1)).FirstOrDefault(static a => a.Key == "service.name").Value
        from scope in Protobuf.All(resource, 2)
        select (service, scope);

    /// <summary>The attributes with a text value.</summary>
    private static Dictionary<string, string> Attributes(ReadOnlyMemory<byte> message, int number) =>
        Protobuf.All(message, number).ToDictionary(static pair => Protobuf.Text(pair, 1), static pair => Protobuf.Text(Protobuf.All(pair, 2).Last(), 1));
}

/// <summary>A span. Ids are lower-case hex.</summary>
/// <param name="Links">The spans that it links to.</param>
internal sealed record Span(
    string Service, string TraceId, string Id, string ParentId, string Name, IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<string> Links);
