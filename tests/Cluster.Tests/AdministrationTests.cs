using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Detection.Client;

namespace Detection.Cluster.Tests;

/// <summary>What administrators do with a cluster of processes.</summary>
public sealed class AdministrationTests
{
    private const string Name = "Detection__Silo__Name";

    [Fact]
    public async Task A_silo_drained_under_load_loses_nothing_and_serves_again_after_a_restart()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 0, frontends: 0, new Dictionary<string, string?> { ["Detection__Batching__MaxBatch"] = "4" });
        var (one, other) = (cluster.AddSilo(new Dictionary<string, string?> { [Name] = "one" }), cluster.AddSilo(new Dictionary<string, string?> { [Name] = "other" }));
        var http = cluster.AddFrontend().Http;
        await cluster.ReadyAsync();
        await CompletedByAsync("one", 0);
        await CompletedByAsync("other", 0);

        // Waiting and asynchronous requests, before, while and after the silo drains.
        var accepted = await Task.WhenAll(Enumerable.Range(5000, 30).Select(picture => PostAsync(http, picture, "?async=true&timeout=60")));
        var load = Enumerable.Range(5100, 60).Select(picture => PostAsync(http, picture, "?timeout=60")).ToList();
        await CompletedByAsync("one", 3);
        Assert.Equal(HttpStatusCode.Accepted, (await http.PostAsync(new Uri("/v1/admin/silos/one/drain", UriKind.Relative), null)).StatusCode);
        load.AddRange(Enumerable.Range(5200, 20).Select(picture => PostAsync(http, picture, "?timeout=60")));

        Assert.All(await Task.WhenAll(load), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.All(accepted, ticket => Assert.Equal(HttpStatusCode.Accepted, ticket.StatusCode));
        foreach (var picture in Enumerable.Range(5000, 30))
        {
            using var answer = await http.GetAsync(new Uri($"/v1/detections/{TestPictures.ImageKey(TestPictures.Unique(picture))}?wait=60", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var drained = await SiloAsync("one");
        Assert.True(drained.GetProperty("drained").GetBoolean());
        Assert.False((await SiloAsync("other")).GetProperty("drained").GetBoolean());
        await Eventually.Async(async () => (await SiloAsync("one")).GetProperty("devices")[0].GetProperty("batchers").GetArrayLength() == 0, Eventually.Soon, "its batcher has ended");
        Assert.False(await one.IsReadyAsync());
        Assert.Contains("was drained by an administrator", await (await one.Http.GetAsync(new Uri("/health/ready", UriKind.Relative))).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.True(await other.IsReadyAsync());
        Assert.Contains("A caller on this machine requested a drain of the silo one.", cluster.Frontends[0].Process.Log, StringComparison.Ordinal);

        // The other way round, after a new start: the first one does all of the work.
        Assert.Equal(0, await one.StopAsync());
        await one.StartAgainAsync();
        await one.ReadyAsync();
        Assert.Equal(HttpStatusCode.Accepted, (await http.PostAsync(new Uri("/v1/admin/silos/other/drain", UriKind.Relative), null)).StatusCode);
        Assert.All(await Task.WhenAll(Enumerable.Range(5300, 20).Select(picture => PostAsync(http, picture, "?timeout=60"))), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        await CompletedByAsync("one", 1);
        await using var redis = await cluster.Redis.ConnectAsync();
        Assert.Empty(await redis.GetServers()[0].KeysAsync(pattern: "detection:{*}:dead").ToListAsync());

        async Task<JsonElement> SiloAsync(string name) =>
            (await http.GetFromJsonAsync<JsonElement>("/v1/status")).GetProperty("silos").EnumerateArray().FirstOrDefault(silo => silo.GetProperty("name").GetString() == name);

        Task CompletedByAsync(string name, int least) => Eventually.Async(
            async () => await SiloAsync(name) is { ValueKind: JsonValueKind.Object } silo
                && silo.GetProperty("devices")[0].GetProperty("batchers").EnumerateArray().Any(batcher => batcher.GetProperty("completed").GetInt64() >= least),
            Eventually.Soon,
            $"{name} has completed {least} pictures");
    }

    [Fact]
    public async Task A_deadline_that_passes_while_no_silo_serves_says_why()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 0, frontends: 0);
        var http = cluster.AddFrontend().Http;
        await using var client = new TestClient(cluster.Redis);
        await Eventually.Async(async () => (await http.GetAsync(new Uri("/health/live", UriKind.Relative))).IsSuccessStatusCode, Eventually.Soon, "the front end listens");
        await FailsAsync(5400, "The deadline passed before there was a result. No silo is running.");

        cluster.AddSilo(new Dictionary<string, string?> { [Name] = "only" });
        await cluster.ReadyAsync();
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(http, 5401, "?timeout=60")).StatusCode);

        Assert.Equal(HttpStatusCode.Accepted, (await http.PostAsync(new Uri("/v1/admin/silos/only/drain", UriKind.Relative), null)).StatusCode);
        await Eventually.Async(async () => (await client.Reports.GetSilosAsync()).All(silo => silo.IsDrained && silo.Batchers.Count == 0), Eventually.Soon, "the silo is drained");
        await FailsAsync(5402, "The deadline passed before there was a result. Every silo that has the model 'nanodet-g' is drained.");

        await cluster.Silos[0].StopAsync();
        await cluster.Silos[0].StartAgainAsync();
        await cluster.Silos[0].ReadyAsync();
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(http, 5402, "?timeout=60")).StatusCode);

        async Task FailsAsync(int picture, string detail)
        {
            using var answer = await PostAsync(http, picture, "?timeout=2");
            Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
            Assert.Equal(detail, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString());
            var options = new DetectionOptions { Deadline = TimeSpan.FromSeconds(2) };
            Assert.Equal(detail, (await Assert.ThrowsAsync<DetectionException>(() => client.Detection.DetectAsync(TestPictures.Unique(picture), options))).Message);
        }
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient http, int picture, string query)
    {
        using var content = new ByteArrayContent(TestPictures.Unique(picture));
        return await http.PostAsync(new Uri("/v1/detections" + query, UriKind.Relative), content);
    }
}
