using System.Net;
using System.Text;

namespace Detection.Frontend.Tests.Http.Browsers;

/// <summary>Requests that a page of another site can make a browser send to a server on this machine.</summary>
public sealed class BrowserTests(OneProcess frontend, BrowserTests.OpenedProcess opened) : IClassFixture<BrowserTests.OpenedProcess>
{
    private const string Origin = "https://app.example.org";

    [Theory]
    [InlineData("localhost")]
    [InlineData("localhost.:8080")]
    [InlineData("LOCALHOST:1")]
    [InlineData("127.0.0.1:8080")]
    [InlineData("[::1]:8080")]
    public async Task Server_on_loopback_without_keys_answers_for_its_own_hosts(string host) =>
        await SendAsync(frontend.Http, HttpMethod.Get, "/v1/models", ("Host", host)).AnswerAsync();

    [Theory]
    [InlineData("rebound.example.org")]
    [InlineData("rebound.example.org:8080")]
    [InlineData("localhost.example.org")]
    [InlineData("169.254.169.254")]
    [InlineData("127.0.0.1.nip.io")]
    [InlineData("127.0.0.2")]
    public async Task Server_on_loopback_without_keys_refuses_other_hosts_and_names_the_setting(string host)
    {
        foreach (var path in (string[])["/", "/v1/models", "/health/ready", "/metrics"])
        {
            var problem = await SendAsync(frontend.Http, HttpMethod.Get, path, ("Host", host)).ProblemAsync(421, "host-not-allowed");
            Assert.Contains("Detection:Browsers:AllowedHosts", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        await SendAsync(frontend.Http, HttpMethod.Get, "/v1/models", ("Host", "localhost")).AnswerAsync();
    }

    [Fact]
    public async Task Allowed_host_is_answered()
    {
        await SendAsync(opened.Http, HttpMethod.Get, "/health/live", ("Host", "detection.example.org")).AnswerAsync();
        await SendAsync(opened.Http, HttpMethod.Get, "/health/live", ("Host", "127.0.0.1")).AnswerAsync();
        await SendAsync(opened.Http, HttpMethod.Get, "/health/live", ("Host", "other.example.org")).ProblemAsync(421, "host-not-allowed");
    }

    [Theory]
    [InlineData("cross-site", Origin)]
    [InlineData("cross-site", "null")]
    [InlineData("same-site", "http://localhost:1")]
    [InlineData(null, Origin)]
    [InlineData(null, "null")]
    [InlineData(null, "http://localhost:1")]
    public async Task Post_from_another_sites_page_is_refused_before_its_body_is_read(string? site, string origin)
    {
        foreach (var path in (string[])["/v1/detections", "/v1/vision/detection", "/detect/imageDetect"])
        {
            var content = new StringContent("x", Encoding.UTF8, "text/plain");
            using var answer = await SendAsync(frontend.Http, HttpMethod.Post, path, content, ("Sec-Fetch-Site", site), ("Origin", origin));
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Contains("Detection:Browsers:AllowedOrigins", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Theory]
    [InlineData("same-origin", null)]
    [InlineData("none", null)]
    [InlineData(null, "")]
    [InlineData(null, null)]
    public async Task Post_from_the_servers_own_page_or_from_a_program_is_accepted(string? site, string? origin)
    {
        var own = origin is null ? frontend.Process.Url.GetLeftPart(UriPartial.Authority) : null;
        await SendAsync(frontend.Http, HttpMethod.Post, "/v1/detections", Asking.Bytes([1], "image/png"), ("Sec-Fetch-Site", site), ("Origin", own))
            .ProblemAsync(400, "not-a-picture");
    }

    [Fact]
    public async Task Allowed_origin_gets_preflight_and_answer_also_when_keys_are_required()
    {
        using var preflight = await SendAsync(
            opened.Http, HttpMethod.Options, "/v1/detections", ("Origin", Origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-api-key,content-type"));
        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal(Origin, Assert.Single(preflight.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Contains("x-api-key", Assert.Single(preflight.Headers.GetValues("Access-Control-Allow-Headers")), StringComparison.OrdinalIgnoreCase);
        using var closed = await SendAsync(opened.Http, HttpMethod.Options, "/v1/detections", ("Origin", "https://other.example.org"), ("Access-Control-Request-Method", "POST"));
        Assert.False(closed.Headers.Contains("Access-Control-Allow-Origin"));

        // Without a key, because the page must be able to read that a key is missing.
        using var answer = await SendAsync(opened.Http, HttpMethod.Post, "/v1/detections", Asking.Bytes([1], "image/png"), ("Origin", Origin), ("Sec-Fetch-Site", "cross-site"));
        await Task.FromResult(answer).ProblemAsync(401, "unauthorized");
        Assert.Equal(Origin, Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Contains("Retry-After", string.Join(',', answer.Headers.GetValues("Access-Control-Expose-Headers")), StringComparison.OrdinalIgnoreCase);
        await SendAsync(opened.Http, HttpMethod.Post, "/v1/detections", Asking.Bytes([1], "image/png"), ("Origin", "https://other.example.org")).ProblemAsync(403, "origin-not-allowed");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1/models")]
    [InlineData("/nothing/here")]
    public async Task No_answer_can_be_embedded_in_a_page_of_another_site(string path)
    {
        using var answer = await frontend.Http.ReadAsync(path);

        Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Cross-Origin-Resource-Policy")));
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        Assert.Contains("frame-ancestors 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient http, HttpMethod method, string path, params (string Name, string? Value)[] headers) =>
        SendAsync(http, method, path, null, headers);

    private static Task<HttpResponseMessage> SendAsync(HttpClient http, HttpMethod method, string path, HttpContent? content, params (string Name, string? Value)[] headers)
    {
        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        foreach (var (name, value) in headers)
        {
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return http.SendAsync(request);
    }

    /// <summary>A front end without a cluster that requires keys, and allows one more host and one origin.</summary>
    public sealed class OpenedProcess : IAsyncLifetime
    {
        private readonly DetectionProcess _process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
            ["Detection__Access__Keys__page__Sha256"] = Access.GuardedProcess.Hash("key-of-page"),
            ["Detection__Browsers__AllowedHosts__0"] = "detection.example.org",
            ["Detection__Browsers__AllowedOrigins__0"] = Origin,
        });

        internal HttpClient Http => _process.Http;

        public async ValueTask InitializeAsync() => await Eventually.Async(
            async limit => (await _process.Http.GetAsync(new Uri("/health/live", UriKind.Relative), limit)).StatusCode == HttpStatusCode.OK,
            TimeSpan.FromSeconds(60),
            "the front end answers");

        public ValueTask DisposeAsync() => _process.DisposeAsync();
    }
}
