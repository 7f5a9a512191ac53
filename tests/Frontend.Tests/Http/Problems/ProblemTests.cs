using System.Net.Http.Json;
using System.Text;

namespace Detection.Frontend.Tests.Http.Problems;

public sealed class ProblemTests(OneProcess frontend)
{
    [Theory]
    [InlineData("text.jpg", 400, "not-a-picture")]
    [InlineData("empty.jpg", 400, "not-a-picture")]
    [InlineData("truncated.jpg", 422, "undecodable")]
    [InlineData("corrupt.png", 422, "undecodable")]
    [InlineData("huge.png", 413, "picture-too-large")]
    [InlineData("huge.webp", 413, "picture-too-large")]
    public async Task Bad_picture_gets_the_problem_that_names_its_fault(string file, int status, string type)
    {
        var bytes = await File.ReadAllBytesAsync(TestPictures.Path(Path.Combine("edge", file)));

        await frontend.Http.PostAsync(Asking.Form(bytes)).ProblemAsync(status, type);
        var problem = await frontend.Http.PostAsync(Asking.Bytes(bytes, "image/jpeg"), accept: "image/jpeg").ProblemAsync(status, type);

        if (bytes.Length > 0)
        {
            Assert.Equal(TestPictures.ImageKey(bytes), problem.GetProperty("imageKey").GetString());
        }
    }

    [Theory]
    [InlineData("http://169.254.169.254/")]
    [InlineData("http://10.0.0.1/a.jpg")]
    [InlineData("http://[::1]/a.jpg")]
    [InlineData("ftp://example.com/a.jpg")]
    [InlineData("file:///etc/passwd")]
    public async Task Url_of_a_private_address_is_not_fetched(string url) =>
        await frontend.Http.PostAsync(JsonContent.Create(new { url })).ProblemAsync(400, "url-not-allowed");

    [Fact]
    public async Task Url_without_a_server_gets_url_not_reachable()
    {
        var url = frontend.Pictures.Url("missing.jpg", null);
        await frontend.Http.PostAsync(JsonContent.Create(new { url })).ProblemAsync(502, "url-not-reachable");
    }

    [Theory]
    [InlineData("""{"url":"http://exa""")]
    [InlineData("""{"url":"relative"}""")]
    [InlineData("""{"url":1}""")]
    [InlineData("""{"image":"not base64!"}""")]
    [InlineData("""{"image":"AAAA","url":"http://example.com/"}""")]
    [InlineData("""{"picture":"AAAA"}""")]
    [InlineData("""["image"]""")]
    [InlineData("""{"image":"AAAA"} and more""")]
    [InlineData("""{"url":"\ud800"}""")] // not Unicode
    [InlineData("")]
    public async Task Json_without_a_request_is_refused(string body) =>
        await frontend.Http.PostAsync(new StringContent(body, Encoding.UTF8, "application/json")).ProblemAsync(400, "invalid-request");

    [Theory]
    [InlineData("?threshold=1.5")]
    [InlineData("?threshold=-1")]
    [InlineData("?threshold=NaN")]
    [InlineData("?threshold=high")]
    [InlineData("?iou=0")]
    [InlineData("?max=0")]
    [InlineData("?max=1.5")]
    [InlineData("?timeout=0")]
    [InlineData("?timeout=61")]
    public async Task Parameter_out_of_range_is_refused_by_name(string query)
    {
        var problem = await frontend.Http.PostAsync(Asking.Bytes([1], "image/png"), query).ProblemAsync(400, "invalid-request");
        var detail = problem.GetProperty("detail").GetString();
        Assert.Contains(query[1..query.IndexOf('=', StringComparison.Ordinal)], detail, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Nullable", detail, StringComparison.Ordinal); // no .NET types
    }

    [Fact]
    public async Task Invalid_upload_is_refused()
    {
        await frontend.Http.PostAsync(new FormUrlEncodedContent([new("image", "x")])).ProblemAsync(415, "unsupported-media-type");
        await frontend.Http.PostAsync(new StringContent("x", Encoding.UTF8, "text/plain")).ProblemAsync(415, "unsupported-media-type");
        await frontend.Http.PostAsync(Asking.Form([1, 2], field: "picture")).ProblemAsync(400, "invalid-request");
        await frontend.Http.PostAsync(Asking.Bytes([1, 2], "multipart/form-data")).ProblemAsync(400, "invalid-request");
        using var broken = new ByteArrayContent(Encoding.ASCII.GetBytes("--x\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nabc"));
        broken.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=x");
        await frontend.Http.PostAsync(broken).ProblemAsync(400, "invalid-request");
    }

    [Fact]
    public async Task Problem_escapes_only_what_JSON_requires()
    {
        using var answer = await frontend.Http.PostAsync(Asking.Form([1, 2], field: "picture"));
        Assert.Contains("The body has the unknown field 'picture'.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failures_of_the_framework_are_problems()
    {
        await frontend.Http.ReadAsync("/nothing/here").ProblemAsync(404, "not-found");
        await frontend.Http.DeleteAsync(new Uri("/v1/detections", UriKind.Relative)).ProblemAsync(405, "method-not-allowed");
        await frontend.Http.ReadAsync("/v1/detections").ProblemAsync(405, "method-not-allowed");
        await frontend.Http.PostAsync(Asking.Bytes(TestPictures.Unique(711), "image/jpeg"), "?model=nobody").ProblemAsync(404, "model-not-found");
        var near = await frontend.Http.PostAsync(Asking.Bytes(TestPictures.Unique(711), "image/jpeg"), "?model=nanodt-g").ProblemAsync(404, "model-not-found");
        Assert.Equal("No model 'nanodt-g' is served. Did you mean 'nanodet-g'?", near.GetProperty("detail").GetString());
        var text = await (await frontend.Http.ReadAsync("/v2/models/nobody")).Content.ReadAsStringAsync();
        Assert.StartsWith("{\"error\":\"No model 'nobody' is served. Known are nanodet-g", text, StringComparison.Ordinal);
        await frontend.Http.ReadAsync("/v1/models/nobody").ProblemAsync(404, "model-not-found");
        await frontend.Http.ReadAsync("/v1/models/NANODET-G").ProblemAsync(404, "model-not-found");
    }

    [Fact]
    public async Task Problem_type_address_returns_its_description()
    {
        var problem = await frontend.Http.ReadAsync("/nothing").ProblemAsync(404, "not-found");
        var description = await frontend.Http.ReadAsync(problem.GetProperty("type").GetString()!).AnswerAsync();
        Assert.Equal(404, description.GetProperty("status").GetInt32());
        Assert.NotEmpty(description.GetProperty("description").GetString()!);
        await frontend.Http.ReadAsync("/problems/unknown").ProblemAsync(404, "not-found");
    }

    [Fact]
    public async Task Failed_request_logs_one_message_with_its_picture()
    {
        var text = Encoding.ASCII.GetBytes("This is not a picture, and it is logged once.");
        await frontend.Http.PostAsync(Asking.Bytes(text, "image/png")).ProblemAsync(400, "not-a-picture");

        var key = TestPictures.ImageKey(text);
        List<string> lines = [];
        await Eventually.Async(
            () => (lines = [.. frontend.Process.Process.Log.Split('\n').Where(line => line.Contains(" failed with ", StringComparison.Ordinal) && line.Contains(key, StringComparison.Ordinal))]).Count > 0,
            Eventually.Soon,
            "the failure is in the log");
        Assert.Contains("POST /v1/detections failed with 400 /problems/not-a-picture", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Caller_that_disconnects_logs_no_failure()
    {
        using var leaving = new CancellationTokenSource();
        var body = new StalledBody(leaving);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => frontend.Http.PostAsync(new Uri("/v1/detections?model=the-one-who-left", UriKind.Relative), body, leaving.Token));

        // Later requests are served; their log messages come after all messages of the first request.
        var marker = Guid.NewGuid().ToString("N");
        await frontend.Http.ReadAsync($"/{marker}").ProblemAsync(404, "not-found");
        await Eventually.Async(() => frontend.Process.Process.Log.Contains(marker, StringComparison.Ordinal), Eventually.Soon, "the marker is in the log");
        Assert.DoesNotContain("failed with 499", frontend.Process.Process.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("Unexpected end of request content", frontend.Process.Process.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("failed with 500", frontend.Process.Process.Log, StringComparison.Ordinal);
    }

    /// <summary>Sends a part of a body and disconnects.</summary>
    private sealed class StalledBody : HttpContent
    {
        private readonly CancellationTokenSource _leaving;

        public StalledBody(CancellationTokenSource leaving)
        {
            _leaving = leaving;
            Headers.ContentType = new("image/jpeg");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.WriteAsync(new byte[10_000]);
            await stream.FlushAsync();
            await _leaving.CancelAsync();
            await Task.Delay(Timeout.Infinite, _leaving.Token);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 20_000;
            return true;
        }
    }
}
