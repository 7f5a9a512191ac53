using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Detection.Inference.Pulling;
using Microsoft.AspNetCore.Http;

namespace Detection.Fetching.Tests.Pulling;

/// <summary>Pulling from object stores and OCI registries: servers that check what they are sent, and public ones.</summary>
public sealed class StoreTests : IAsyncLifetime
{
    private static readonly byte[] Graph = ModelHost.Graph;
    private static readonly string Hash = ModelHost.Sha256(Graph);

    private readonly PullOptions _options = new();
    private ModelHost _host = null!;
    private PullFolder _folder = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ModelHost.StartAsync();
        (_options.S3, _options.AzureBlob, _options.GoogleStorage) = (new Uri(_host.Url), new Uri(_host.Url), new Uri(_host.Url));
        _folder = new PullFolder(_options);
    }

    public async ValueTask DisposeAsync()
    {
        _folder.Dispose();
        await _host.DisposeAsync();
    }

    /// <summary>Calculated with Python's hmac from the key of the published examples.</summary>
    [Fact]
    public void Signature_of_S3_is_the_one_that_an_independent_calculation_gives()
    {
        var at = new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://examplebucket.s3.amazonaws.com/test.txt");
        AwsSignature.Of("AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", new FixedTime(at))!.Sign(request);
        Assert.Equal("20130524T000000Z", request.Headers.GetValues("x-amz-date").Single());
        Assert.Equal(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=5c0d4ff29e72b8f94c5b6720369921e587e39bf7a64e456887dec4b43a2d1b77",
            request.Headers.GetValues("Authorization").Single());
    }

    [Theory]
    [InlineData("s3://bucket/nets/my%20net.onnx")]
    [InlineData("gs://bucket/nets/my%20net.onnx")]
    [InlineData("az://bucket/nets/my%20net.onnx")]
    public async Task Public_object_is_pulled_without_a_token(string source)
    {
        _host.Serve("/bucket/nets/my%20net.onnx", Graph);
        await _folder.PullAsync(source.Replace("%20", " ", StringComparison.Ordinal));
        Assert.Equal(Graph, _folder.Read("model.onnx"));
        Assert.Equal(0, _host.Requests.Single().Headers.Authorization.Count);
    }

    [Theory]
    [InlineData("s3://bucket/net.onnx", "access:secret", "AWS4-HMAC-SHA256 Credential=access/")]
    [InlineData("s3://bucket/net.onnx", "access:secret:session", "AWS4-HMAC-SHA256 Credential=access/")]
    [InlineData("gs://bucket/net.onnx", "access:secret", "AWS4-HMAC-SHA256 Credential=access/")]
    [InlineData("gs://bucket/net.onnx", "ya29.token", "Bearer ya29.token")]
    [InlineData("az://bucket/net.onnx", "eyJ.token", "Bearer eyJ.token")]
    [InlineData("az://bucket/net.onnx", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==", "SharedKey bucket:")]
    public async Task Private_object_is_pulled_with_a_token_that_does_not_follow_a_redirect(string source, string token, string start)
    {
        _host.Serve("/elsewhere", Graph);
        _host.On("/bucket/net.onnx", http =>
        {
            http.Response.StatusCode = http.Request.Headers.Authorization.ToString().StartsWith(start, StringComparison.Ordinal) ? 307 : 403;
            http.Response.Headers.Location = _host.OtherUrl + "/elsewhere";
            return Task.CompletedTask;
        });
        Assert.Contains("none is set for this server", (await _folder.FailAsync(source)).Message, StringComparison.Ordinal);
        await _folder.PullAsync(source, Hash, token: token);
        Assert.Equal(Graph, _folder.Read("model.onnx"));
        var last = _host.Requests.Last();
        Assert.Equal(("/elsewhere", 0), (last.Path, last.Headers.Authorization.Count));
        Assert.Contains(_host.Requests, request => request.Headers["x-amz-security-token"].ToString() == (token.EndsWith(":session", StringComparison.Ordinal) ? "session" : ""));
    }

    [Fact]
    public async Task Signature_of_an_Azure_token_is_in_the_query_and_nowhere_else()
    {
        const string Token = "sv=2022-11-02&sig=abc%2Fdef%3D";
        _host.Serve($"/account/container/net.onnx?{Token}", Graph);
        _host.On("/account/container/net.onnx", http =>
        {
            http.Response.StatusCode = 403;
            return Task.CompletedTask;
        });
        var fault = await _folder.FailAsync("az://account/container/net.onnx", token: "sv=2022-11-02&sig=wrong");
        Assert.DoesNotContain("sig=", fault.ToString(), StringComparison.Ordinal);
        var pulled = await _folder.PullAsync("az://account/container/net.onnx", token: Token);
        Assert.Equal("az://account/container/net.onnx", pulled.Source);
        Assert.DoesNotContain("sig=", Encoding.UTF8.GetString(_folder.Read(".pulled.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s3://bucket")]
    [InlineData("s3://bucket/../other/key.onnx")]
    [InlineData("az://evil.example.org:443@x/c/b.onnx")]
    [InlineData("oci://registry")]
    public async Task Text_that_could_lead_elsewhere_is_no_source(string source) =>
        Assert.Contains("is not a source", (await _folder.FailAsync(source)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Artifact_of_a_registry_is_pulled_with_its_manifest_after_signing_in()
    {
        var manifest = "{ \"threshold\": 0.3 }"u8.ToArray();
        var document = Encoding.UTF8.GetBytes($$"""
            { "schemaVersion": 2, "layers": [
              { "digest": "sha256:{{Hash}}", "size": {{Graph.Length}}, "annotations": { "org.opencontainers.image.title": "best.onnx" } },
              { "digest": "sha256:{{ModelHost.Sha256(manifest)}}", "size": {{manifest.Length}}, "annotations": { "org.opencontainers.image.title": "model.json" } } ] }
            """);
        OnRegistry("/v2/nets/best/manifests/v1", document);
        OnRegistry($"/v2/nets/best/manifests/sha256:{ModelHost.Sha256(document)}", document);
        OnRegistry($"/v2/nets/best/blobs/sha256:{Hash}", Graph);
        OnRegistry($"/v2/nets/best/blobs/sha256:{ModelHost.Sha256(manifest)}", manifest);
        _host.On("/token", http => http.Response.WriteAsJsonAsync(new { token = http.Request.Headers.Authorization == "Basic " + Convert.ToBase64String("user:secret"u8) ? "full" : "none" }));
        var source = _host.Url.Replace("http://", "oci://", StringComparison.Ordinal) + "/nets/best:v1";

        Assert.Contains("status 401", (await _folder.FailAsync(source)).Message, StringComparison.Ordinal);
        var pulled = await _folder.PullAsync(source, token: "user:secret");
        Assert.Equal("sha256:" + ModelHost.Sha256(document), pulled.Revision);
        Assert.Equal(Graph, _folder.Read("model.onnx"));
        Assert.Contains("0.3", Encoding.UTF8.GetString(_folder.Read("model.json")), StringComparison.Ordinal);
        Assert.Contains(_host.Requests, static request => request.Path.Contains("scope=repository%3Anets%2Fbest%3Apull", StringComparison.Ordinal));

        // By digest, a registry that answers with something else is caught.
        OnRegistry($"/v2/nets/best/manifests/sha256:{Hash}", document);
        Assert.Contains("is expected", (await _folder.FailAsync($"{source}@sha256:{Hash}", token: "user:secret")).Message, StringComparison.Ordinal);
        OnRegistry($"/v2/nets/best/blobs/sha256:{Hash}", [.. Graph[..^1], 1]);
        Assert.Contains("is expected", (await _folder.FailAsync(source, name: "other", token: "user:secret")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_of_a_registry_is_not_sent_to_a_token_service_elsewhere()
    {
        _host.On("/v2/nets/best/manifests/latest", http =>
        {
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{_host.OtherUrl}/token\",service=\"registry\"";
            return Task.CompletedTask;
        });
        _host.On("/token", http => http.Response.WriteAsJsonAsync(new { token = "none" }));
        await _folder.FailAsync(_host.Url.Replace("http://", "oci://", StringComparison.Ordinal) + "/nets/best", token: "user:secret");
        Assert.Equal(0, _host.Requests.Single(static request => request.Path.StartsWith("/token", StringComparison.Ordinal)).Headers.Authorization.Count);
    }

    private void OnRegistry(string path, byte[] bytes) => _host.On(path, http =>
    {
        if (http.Request.Headers.Authorization == "Bearer full")
        {
            return ModelHost.FileOf(bytes)(http);
        }

        http.Response.StatusCode = 401;
        http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{_host.Url}/token\",service=\"registry\",scope=\"repository:nets/best:pull\"";
        return Task.CompletedTask;
    });

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
