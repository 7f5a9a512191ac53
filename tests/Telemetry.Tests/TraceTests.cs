using System.Net;
using System.Security.Cryptography;

namespace Detection.Telemetry.Tests;

public sealed class TraceTests(WatchedCluster cluster)
{
    [Fact]
    public async Task One_trace_follows_a_picture_from_the_request_through_the_queue_into_the_batch_and_back()
    {
        var trace = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        const string caller = "00f067aa0ba902b7";

        var (status, answer) = await cluster.Frontend.Http.DetectAsync(TestPictures.Unique(9001), $"00-{trace}-{caller}-01");

        Assert.Equal(HttpStatusCode.OK, status);
        var imageKey = answer.GetProperty("imageKey").GetString();
        IReadOnlyList<Span> spans = [];
        await Eventually.Async(
            _ =>
            {
                spans = [.. cluster.Collector.Spans.Where(span => span.TraceId == trace)];
                return Task.FromResult(Named("batch") && Named("picture") && Named("queue") && Named("detect")
                    && spans.Any(span => span.ParentId == caller) && spans.Any(span => span.ParentId == The("picture").Id));
            },
            TimeSpan.FromSeconds(20),
            "the collector has the spans");

        var request = Assert.Single(spans, span => span.ParentId == caller);
        Assert.Equal("detection-frontend", request.Service);
        Assert.Equal("POST", request.Attributes["http.request.method"]);
        var detect = The("detect");
        Assert.Equal(("detection-frontend", request.Id), (detect.Service, detect.ParentId));
        Assert.Equal("computed", detect.Attributes["detection.outcome"]);

        // Through the Redis list: the silo gets the trace only from the mark of the queued item.
        var (queue, batch, picture) = (The("queue"), The("batch"), The("picture"));
        Assert.All([queue, batch, picture], span => Assert.Equal(("detection-silo", detect.Id), (span.Service, span.ParentId)));
        Assert.Equal([detect.Id], batch.Links);
        Assert.Equal([batch.Id], picture.Links);
        Assert.Equal(imageKey, picture.Attributes["detection.image_key"]);

        // And back: the message that the request is done.
        Assert.Contains(spans, span => span.ParentId == picture.Id && span.Name.Contains("Complete", StringComparison.Ordinal));

        bool Named(string name) => spans.Any(span => span.Name == name);

        Span The(string name) => Assert.Single(spans, span => span.Name == name);
    }

    [Fact]
    public async Task Caller_with_unsampled_trace_is_not_traced()
    {
        var trace = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var other = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        await cluster.Frontend.Http.DetectAsync(TestPictures.Unique(9002), $"00-{trace}-00f067aa0ba902b7-00");
        await cluster.Frontend.Http.DetectAsync(TestPictures.Unique(9003), $"00-{other}-00f067aa0ba902b7-01");

        await Eventually.Async(
            _ => Task.FromResult(cluster.Collector.Spans.Any(span => span.TraceId == other && span.Name == "picture")),
            TimeSpan.FromSeconds(20),
            "the later request is traced");

        Assert.DoesNotContain(cluster.Collector.Spans, span => span.TraceId == trace);
    }

    [Fact]
    public async Task Probe_of_a_traced_caller_is_not_traced()
    {
        var probes = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var other = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        await ProbeAsync(cluster.Frontend.Http, "/health/live", "/v2/health/live", "/v2/health/ready");
        await ProbeAsync(cluster.Management, "/v1/status", "/metrics");
        await cluster.Frontend.Http.DetectAsync(TestPictures.Unique(9005), $"00-{other}-00f067aa0ba902b7-01");

        await Eventually.Async(
            _ => Task.FromResult(cluster.Collector.Spans.Any(span => span.TraceId == other && span.Name == "picture")),
            TimeSpan.FromSeconds(20),
            "the later request is traced");

        Assert.DoesNotContain(cluster.Collector.Spans, span => span.TraceId == probes);

        async Task ProbeAsync(HttpClient http, params string[] paths)
        {
            foreach (var path in paths)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.Add("traceparent", $"00-{probes}-00f067aa0ba902b7-01");
                using var response = await http.SendAsync(request);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            }
        }
    }

    [Fact]
    public async Task The_collector_gets_the_metrics_of_both() => await Eventually.Async(
        async _ =>
        {
            await cluster.Frontend.Http.DetectAsync(TestPictures.Unique(9004));
            return cluster.Collector.Has("detection-frontend", "detection.client.request.duration")
                && cluster.Collector.Has("detection-silo", "detection.stage.duration");
        },
        TimeSpan.FromSeconds(20),
        "both sent metrics");
}
