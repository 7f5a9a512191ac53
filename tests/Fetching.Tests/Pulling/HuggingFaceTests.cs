using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Detection.Inference.Pulling;
using Detection.Inference.Repository;
using Microsoft.AspNetCore.Http;

namespace Detection.Fetching.Tests.Pulling;

/// <summary>Pulling from a server that speaks the API of the Hugging Face Hub.</summary>
public sealed class HuggingFaceTests : IAsyncLifetime
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private static readonly byte[] Graph = ModelHost.Graph;

    private readonly List<JsonNode> _tree = [];
    private ModelHost _host = null!;
    private PullFolder _folder = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ModelHost.StartAsync();
        _folder = new PullFolder(new PullOptions { HuggingFace = new Uri(_host.Url) });
        _host.On("/api/models/owner/net/revision/main", http => http.Response.WriteAsJsonAsync(new { sha = Commit }));
        _host.On($"/api/models/owner/net/tree/{Commit}", http =>
        {
            // Two pages, as for a repository of more than 1,000 files.
            var isSecond = http.Request.Query.ContainsKey("cursor");
            http.Response.Headers.Link = isSecond ? default : $"<{_host.Url}/api/models/owner/net/tree/{Commit}?recursive=true&cursor=abc>; rel=\"next\"";
            return http.Response.WriteAsync(new JsonArray([.. _tree.Where((_, i) => i == 0 != isSecond).Select(static entry => entry.DeepClone())]).ToJsonString());
        });
    }

    public async ValueTask DisposeAsync()
    {
        _folder.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Model_comes_with_labels_size_and_normalisation()
    {
        AddLfs("onnx/model.onnx", Graph);
        AddGit("README.md", "# net");
        AddGit("config.json", $$"""{ "model_type": "something", "id2label": { {{string.Join(", ", Enumerable.Range(0, 80).Reverse().Select(static id => $"\"{id}\": \"thing {id}\""))}} } }""");
        AddGit("preprocessor_config.json", """
            { "do_normalize": true, "do_rescale": true, "do_resize": true, "rescale_factor": 0.00392156862745098,
              "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "size": { "height": 416, "width": 416 } }
            """);
        var pulled = await _folder.PullAsync("hf:owner/net", name: "net", token: "hf-token");

        Assert.Equal(Commit, pulled.Revision);
        Assert.Equal(Graph, _folder.Read("model.onnx", "net"));
        var manifest = ModelFile.Read(Path.Combine(_folder.Path, "net")).Manifest;
        Assert.Equal("nanodet", manifest.Family);
        Assert.Equal(Enumerable.Range(0, 80).Select(static id => $"thing {id}"), manifest.Labels);
        Assert.Equal((255f, 416, 416), (manifest.Input.Scale, manifest.Input.Width, manifest.Input.Height));
        Assert.Equal([0.485f, 0.456f, 0.406f], manifest.Input.Mean);
        Assert.Equal([0.229f, 0.224f, 0.225f], manifest.Input.Std);

        // The token went to the Hub with each request, and not to the other host to which it redirects.
        Assert.All(_host.Requests, static request => Assert.Equal(request.Path.StartsWith("/cdn", StringComparison.Ordinal) ? "" : "Bearer hf-token", request.Headers.Authorization.ToString()));
        Assert.Contains(_host.Requests, static request => request.Path.StartsWith("/cdn", StringComparison.Ordinal));

        // The same commit is not downloaded again.
        var requests = _host.Requests.Count(static request => request.Path.StartsWith("/cdn", StringComparison.Ordinal));
        await _folder.PullAsync("hf:owner/net", name: "net", token: "hf-token");
        Assert.Equal(requests, _host.Requests.Count(static request => request.Path.StartsWith("/cdn", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Digest_of_the_list_is_checked_and_a_pointer_is_told()
    {
        AddLfs("model.onnx", Graph);
        _host.Serve("/cdn/model.onnx", [.. Graph[..^1], 1]);
        Assert.Contains(ModelHost.Sha256(Graph), (await _folder.FailAsync("hf:owner/net")).Message, StringComparison.Ordinal);
        _host.Serve("/cdn/model.onnx", Encoding.ASCII.GetBytes($"version https://git-lfs.github.com/spec/v1\noid sha256:{ModelHost.Sha256(Graph)}\nsize {Graph.Length}\n"));
        Assert.Contains("Git LFS pointer", (await _folder.FailAsync("hf:owner/net")).Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was pulled", (await _folder.FailAsync("hf:owner/net", new string('0', 64))).Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Files);

        _host.Serve("/cdn/model.onnx", Graph);
        await _folder.PullAsync("hf:owner/net", ModelHost.Sha256(Graph));
        Assert.Equal(Graph, _folder.Read("model.onnx"));
    }

    [Fact]
    public async Task Changed_config_is_refused()
    {
        AddLfs("model.onnx", Graph);
        AddGit("config.json", "{}");
        _host.Serve($"/owner/net/resolve/{Commit}/config.json", "{ }"u8.ToArray());
        Assert.Contains("config.json", (await _folder.FailAsync("hf:owner/net")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_is_asked_for_where_several_could_be_meant()
    {
        AddLfs("a/first.onnx", Graph);
        AddLfs("a/second.onnx", Graph);
        Assert.Contains("hf:owner/net/a/first.onnx", (await _folder.FailAsync("hf:owner/net")).Message, StringComparison.Ordinal);
        Assert.Contains("no file third.onnx", (await _folder.FailAsync("hf:owner/net/third.onnx")).Message, StringComparison.Ordinal);
        Assert.Contains("status 404", (await _folder.FailAsync("hf:owner/net@v2/a/second.onnx")).Message, StringComparison.Ordinal);

        _host.On("/api/models/owner/net/revision/v2", http => http.Response.WriteAsJsonAsync(new { sha = Commit }));
        Assert.Equal(Commit, (await _folder.PullAsync("hf:owner/net@v2/a/second.onnx")).Revision);
    }

    [Theory]
    [InlineData("""{ "size": { "shortest_edge": 800, "longest_edge": 1333 }, "image_mean": [0, 0, 0], "image_std": [1, 1, 1] }""", "255 800 800")]
    [InlineData("""{ "size": 512 }""", "255 512 512")]
    [InlineData("""{ "do_rescale": false, "do_resize": false, "size": 512 }""", "1  ")]
    [InlineData("""{ "rescale_factor": 0.0078431372549 }""", "127.5  ")]
    public void Forms_of_the_preprocessor_are_read(string preprocessor, string expected)
    {
        var input = HuggingFaceManifest.Of(null, JsonNode.Parse(preprocessor)!.AsObject())!["input"]!;
        Assert.Equal(expected, $"{input["scale"]} {input["width"]} {input["height"]}");
    }

    [Fact]
    public void Class_names_are_read_with_gaps_and_placeholders_are_not()
    {
        Assert.Equal("""["a","n/a","c","n/a"]""", Labels("""{ "0": "a", "2": " c ", "3": "" }"""));
        Assert.Null(Labels("""{ "0": "LABEL_0", "1": "LABEL_1" }"""));
        Assert.Null(Labels("""{ "x": "a" }"""));

        static string? Labels(string names) => HuggingFaceManifest.Of(new JsonObject { ["id2label"] = JsonNode.Parse(names) }, null)?["labels"]?.ToJsonString();
    }

    private void AddLfs(string path, byte[] bytes)
    {
        _tree.Add(new JsonObject { ["type"] = "file", ["path"] = path, ["oid"] = new string('a', 40), ["size"] = bytes.Length, ["lfs"] = new JsonObject { ["oid"] = ModelHost.Sha256(bytes), ["size"] = bytes.Length, ["pointerSize"] = 134 } });
        _host.Serve($"/cdn/{path}", bytes, "lfs");
        _host.On($"/owner/net/resolve/{Commit}/{path}", http =>
        {
            http.Response.Redirect($"{_host.OtherUrl}/cdn/{path}?signature=abc");
            return Task.CompletedTask;
        });
    }

    private void AddGit(string path, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
#pragma warning disable CA5350 // The hash of git.
        var oid = Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]));
#pragma warning restore CA5350
        _tree.Add(new JsonObject { ["type"] = "file", ["path"] = path, ["oid"] = oid, ["size"] = bytes.Length });
        _host.Serve($"/owner/net/resolve/{Commit}/{path}", bytes);
    }
}
