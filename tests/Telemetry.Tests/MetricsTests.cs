using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Detection.Telemetry.Tests;

public sealed partial class MetricsTests(WatchedCluster cluster)
{
    [Fact]
    public async Task Every_metric_is_counted_where_it_happens_and_no_picture_is_a_label()
    {
        var before = await ShownAsync();
        var picture = TestPictures.Unique(9101);
        var (_, answer) = await cluster.Frontend.Http.DetectAsync(picture);
        await cluster.Frontend.Http.DetectAsync(picture);
        var (status, problem) = await cluster.Frontend.Http.DetectAsync("not a picture 9101"u8.ToArray());
        Assert.Equal(HttpStatusCode.BadRequest, status);

        var after = "";
        await Eventually.Async(
            async _ => Rise("detection_pictures_total", after = await ShownAsync(), "outcome=\"done\"") >= 1,
            TimeSpan.FromSeconds(20),
            "the picture is counted");

        Assert.Equal(1, Rise("detection_client_request_duration_seconds_count", after, "outcome=\"computed\""));
        Assert.Equal(1, Rise("detection_client_request_duration_seconds_count", after, "outcome=\"cached\""));
        Assert.Equal(1, Rise("detection_client_request_duration_seconds_count", after, "outcome=\"notAPicture\""));
        Assert.Equal(1, Rise("detection_pictures_total", after, "outcome=\"done\""));
        Assert.Equal(1, Rise("detection_pictures_total", after, "outcome=\"failed\""));
        Assert.Equal(2, Rise("detection_queue_wait_seconds_count", after));
        Assert.Equal(2, Rise("detection_batch_size_sum", after));
        foreach (var stage in (string[])["decode", "preprocess", "inference", "postprocess"])
        {
            Assert.Equal(1, Rise("detection_stage_duration_seconds_count", after, $"stage=\"{stage}\""));
        }

        Assert.Contains("model=\"nanodet-g@", after, StringComparison.Ordinal);
        Assert.Contains("device=\"", after, StringComparison.Ordinal);
        Assert.DoesNotContain(answer.GetProperty("imageKey").GetString()!, after, StringComparison.Ordinal);
        Assert.DoesNotContain(problem.GetProperty("imageKey").GetString()!, after, StringComparison.Ordinal);

        double Rise(string metric, string shown, string label = "") => Sum(shown, metric, label) - Sum(before, metric, label);
    }

    [Theory]
    [InlineData("deploy/grafana/detection.json")]
    [InlineData("deploy/prometheus/alerts.yml")]
    public async Task Metrics_named_in_dashboard_alerts_and_documents_exist_after_requests(string file)
    {
        await cluster.Frontend.Http.DetectAsync(TestPictures.Unique(9201));
        await cluster.Frontend.Http.PostAsync(
            new Uri("/v1/detections", UriKind.Relative), JsonContent("""{"url":"http://127.0.0.1/closed.jpg"}"""));
        var used = Used(await File.ReadAllTextAsync(Path.Combine(Repository.Root, file)));
        Assert.True(used.Count >= 8, string.Join(' ', used));

        await Eventually.Async(
            async _ =>
            {
                var shown = SampleName().Matches(await ShownAsync()).Select(static match => match.Value).ToHashSet();
                Assert.Empty(used.Except(shown));
                return true;
            },
            TimeSpan.FromSeconds(20),
            $"every metric of {file} is shown");
    }

    [Fact]
    public async Task Failed_request_logs_one_message_with_picture_outcome_and_duration()
    {
        var (_, problem) = await cluster.Frontend.Http.DetectAsync("not a picture 9301"u8.ToArray());
        var imageKey = problem.GetProperty("imageKey").GetString()!;

        await Eventually.Async(
            _ => Task.FromResult(cluster.Frontend.Process.Log.Contains(imageKey, StringComparison.Ordinal)), TimeSpan.FromSeconds(10), "it is logged");

        var line = Assert.Single(cluster.Frontend.Process.Log.Split('\n'), line => line.Contains(imageKey, StringComparison.Ordinal));
        Assert.Matches(@"POST /v1/detections failed with 400 /problems/not-a-picture after [0-9.]+ ms: .+ \(picture [0-9a-f]{64}, trace 00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\)", line);
    }

    private static StringContent JsonContent(string json) => new(json, System.Text.Encoding.UTF8, "application/json");

    /// <summary>The metrics of front end and silo together.</summary>
    private async Task<string> ShownAsync() => await cluster.Management.TextAsync("/metrics") + await cluster.Silo.Http.TextAsync("/metrics");

    /// <summary>The names of metrics in the expressions of a file.</summary>
    private static HashSet<string> Used(string text)
    {
        if (text.StartsWith('{'))
        {
            using var dashboard = JsonDocument.Parse(text);
            text = string.Join('\n', Expressions(dashboard.RootElement));
        }

        return MetricName().Matches(Grouping().Replace(text, "")).Select(static match => match.Value).ToHashSet();
    }

    private static IEnumerable<string> Expressions(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(static member =>
            member.Value.ValueKind == JsonValueKind.String
                ? member.Name is "expr" or "query" ? [member.Value.GetString()!] : Array.Empty<string>()
                : Expressions(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Expressions),
        _ => [],
    };

    private static double Sum(string shown, string metric, string label) => shown.Split('\n')
        .Where(line => line.StartsWith(metric + "{", StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
        .Sum(static line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\b(detection|http|kestrel|dotnet)_[a-z_]+[a-z]\b(?!\s*=)")]
    private static partial Regex MetricName();

    /// <summary>The labels in <c>by (…)</c> look like metrics.</summary>
    [GeneratedRegex(@"\bby \([^)]*\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"^[a-z_]+", RegexOptions.Multiline)]
    private static partial Regex SampleName();
}
