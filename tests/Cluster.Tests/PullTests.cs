using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

namespace Detection.Cluster.Tests;

/// <summary>Models that silos pull: all of a cluster get the same file.</summary>
public sealed class PullTests : IDisposable
{
    private static readonly byte[] Graph = File.ReadAllBytes(Path.Combine(Repository.Root, "models", "nanodet-g", "model.onnx"));
    private static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData(Graph));
    private readonly List<ModelFolder> _folders = [];

    public void Dispose() => _folders.ForEach(static folder => folder.Dispose());

    [Fact]
    public async Task Model_of_a_request_comes_to_all_silos_also_to_one_that_starts_later()
    {
        var served = Graph;
        await using var host = new LoopbackServer(async http =>
        {
            await http.Response.OutputStream.WriteAsync(served);
            http.Response.Close();
        });
        await using var cluster = await DetectionCluster.StartAsync(silos: 0, frontends: 0, new Dictionary<string, string?>
        {
            ["Detection__Models__Pull__AllowedHosts__0"] = "127.0.0.1",
            ["Detection__Models__Pull__AllowedPorts__0"] = $"{host.Url.Port}",
            ["Detection__Models__Pull__RetryDelay"] = "00:00:00.2",
        });
        AddSilo("one");
        AddSilo("two");
        var http = cluster.AddFrontend().Http;
        await cluster.ReadyAsync();

        // Requests that cannot be done are refused.
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(new { name = "../up", source = host.Url, sha256 = Hash })).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(new { name = "fresh", source = host.Url })).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(new { name = "fresh", source = host.Url, sha256 = Hash, other = 1 })).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri("/v1/models/fresh/pull", UriKind.Relative))).StatusCode);

        // The server has another file first: nobody serves it, and all say so.
        served = Graph[..^1];
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(new { name = "fresh", source = new Uri(host.Url, "net.onnx?secret=1"), sha256 = Hash })).StatusCode);
        await StatesAsync("fresh", "failed", "failed");
        Assert.Contains("is expected", (await StateAsync("fresh")).GetProperty("silos")[0].GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", (await StateAsync("fresh")).GetRawText(), StringComparison.Ordinal);

        // Then the right one: both have it, and serve it once its manifest is there.
        served = Graph;
        await StatesAsync("fresh", "done", "done");
        AddSilo("three");
        await StatesAsync("fresh", "done", "done", "done");
        foreach (var folder in _folders)
        {
            Assert.Equal(Graph, File.ReadAllBytes(Path.Combine(folder.Path, "fresh", "model.onnx")));
            File.Copy(Path.Combine(Repository.Root, "models", "nanodet-g", "model.json"), Path.Combine(folder.Path, "fresh", "model.json"));
        }

        await Eventually.Async(
            async () => (await http.GetFromJsonAsync<JsonElement>("/v1/status")).GetProperty("silos").EnumerateArray()
                .Count(silo => silo.GetRawText().Contains("fresh@", StringComparison.Ordinal)) == 3,
            Eventually.Soon,
            "three silos serve the model");
        using var content = new ByteArrayContent(TestPictures.Unique(9000));
        var answer = await http.PostAsync(new Uri("/v1/detections?model=fresh", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        // The wish ends, the model stays.
        Assert.Equal(HttpStatusCode.NoContent, (await http.DeleteAsync(new Uri("/v1/models/fresh/pull", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.DeleteAsync(new Uri("/v1/models/fresh/pull", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri("/v1/models/fresh", UriKind.Relative))).StatusCode);

        void AddSilo(string name)
        {
            var folder = new ModelFolder();
            folder.Lay("nanodet-g");
            _folders.Add(folder);
            cluster.AddSilo(new Dictionary<string, string?>(folder.Settings.Select(static setting => KeyValuePair.Create(setting.Name.Replace(":", "__", StringComparison.Ordinal), (string?)setting.Value)))
            {
                ["Detection__Silo__Name"] = name,
            });
        }

        Task<HttpResponseMessage> PostAsync(object body) => http.PostAsJsonAsync("/v1/models", body);

        Task<JsonElement> StateAsync(string name) => http.GetFromJsonAsync<JsonElement>($"/v1/models/{name}/pull");

        Task StatesAsync(string name, params string[] expected) => Eventually.Async(
            async () => (await StateAsync(name)).GetProperty("silos").EnumerateArray().Select(static silo => silo.GetProperty("state").GetString()).SequenceEqual(expected),
            Eventually.Soon,
            $"the silos are {string.Join(", ", expected)}");
    }

    [Fact]
    public async Task Model_of_the_settings_is_pulled_at_the_start_and_a_closed_address_is_not()
    {
        await using var host = new LoopbackServer(async http =>
        {
            await http.Response.OutputStream.WriteAsync(Graph);
            http.Response.Close();
        });
        var folder = new ModelFolder();
        _folders.Add(folder);
        folder.Lay("nanodet-g");
        var settings = folder.Settings.ToDictionary(static setting => setting.Name.Replace(":", "__", StringComparison.Ordinal), static setting => (string?)setting.Value);
        settings["Detection__Models__Sources__fresh__Source"] = new Uri(host.Url, "net.onnx").ToString();
        settings["Detection__Models__Sources__fresh__Sha256"] = Hash;
        await using var cluster = await DetectionCluster.StartAsync(silos: 0, frontends: 0);
        var silo = cluster.AddSilo(settings);
        var http = cluster.AddFrontend().Http;
        await cluster.ReadyAsync();
        await Eventually.Async(() => silo.Process.Log.Contains("The egress guard refuses 127.0.0.1", StringComparison.Ordinal), Eventually.Soon, "the address is refused");
        Assert.Contains("Pulling fresh failed", await (await http.GetAsync(new Uri("/v1/models/fresh", UriKind.Relative))).Content.ReadAsStringAsync(), StringComparison.Ordinal);

        settings["Detection__Models__Pull__AllowedNetworks__0"] = "127.0.0.0/8";
        settings["Detection__Models__Pull__AllowedPorts__0"] = $"{host.Url.Port}";
        Assert.Equal(0, await silo.StopAsync());
        cluster.AddSilo(settings);
        await Eventually.Async(() => File.Exists(Path.Combine(folder.Path, "fresh", "model.onnx")), Eventually.Soon, "the model is there");
        Assert.Equal(Graph, File.ReadAllBytes(Path.Combine(folder.Path, "fresh", "model.onnx")));
    }
}
