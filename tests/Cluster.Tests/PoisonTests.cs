using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Cluster.Tests;

public sealed class PoisonTests
{
    private static readonly RedisKeys Keys = new();
    private const int Deaths = 3;
    private const string Name = "Detection__Silo__Name";

    // A black picture that takes seconds of work, so that the process can be killed meanwhile.
    private static readonly byte[] Slow = BlankPictures.Jpeg(7000, 7000, scans: 90);

    [Fact]
    public async Task Poison_picture_fails_after_three_killed_batchers_and_others_are_answered()
    {
        await using var cluster = await DetectionCluster.StartAsync(
            silos: 0, frontends: 0, new Dictionary<string, string?> { ["Detection__CpuWorkers"] = "1", ["Detection__Limits__MaxCost"] = "2000" });
        for (var number = 0; number <= Deaths; number++)
        {
            cluster.AddSilo(new Dictionary<string, string?> { [Name] = string.Create(CultureInfo.InvariantCulture, $"silo{number}") });
        }

        var http = cluster.AddFrontend().Http;
        await cluster.ReadyAsync();
        await using var redis = await cluster.Redis.ConnectAsync();
        var imageKey = TestPictures.ImageKey(Slow);

        using var accepted = await PostAsync(http, Slow, "?async=true&timeout=60");
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        var others = new List<Task<HttpResponseMessage>>();
        for (var death = 1; death <= Deaths; death++)
        {
            await (await WaitForHolderAsync(cluster, redis, imageKey)).KillAsync();
            others.Add(PostAsync(http, TestPictures.Unique(4000 + death), "?timeout=60"));
        }

        using var ended = await http.GetAsync(new Uri($"/v1/detections/{imageKey}?wait=60", UriKind.Relative));
        await AssertDeadLetterAsync(ended);
        var deadLetters = Assert.Single(await redis.GetServers()[0].KeysAsync(pattern: Keys.Dead("*")).ToListAsync());
        var letter = Assert.Single(await redis.GetDatabase().ListRangeAsync(deadLetters)).ToString();
        Assert.StartsWith($"{imageKey}|poison|{Deaths}|", letter, StringComparison.Ordinal);

        Assert.All(await Task.WhenAll(others), other => Assert.Equal(HttpStatusCode.OK, other.StatusCode));

        // The administrator sees which picture it is, for longer than pictures are kept.
        var listed = Assert.Single((await http.GetFromJsonAsync<JsonElement>("/v1/admin/dead-letters")).GetProperty("items").EnumerateArray());
        Assert.Equal((imageKey, "poison", Deaths), (listed.GetProperty("imageKey").GetString(), listed.GetProperty("reason").GetString(), listed.GetProperty("attempts").GetInt32()));
        Assert.InRange(listed.GetProperty("pictureUntil").GetDateTimeOffset() - listed.GetProperty("at").GetDateTimeOffset(), TimeSpan.FromHours(23), TimeSpan.FromHours(25));
        Assert.Equal(Slow, await http.GetByteArrayAsync($"/v1/admin/dead-letters/{imageKey}/picture"));
        using var answered = await http.GetAsync(new Uri($"/v1/admin/dead-letters/{TestPictures.ImageKey(TestPictures.Unique(4001))}/picture", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, answered.StatusCode);

        // Sent again, it is refused without an attempt, and the last silo is healthy.
        using var again = await PostAsync(http, Slow, "?timeout=60");
        await AssertDeadLetterAsync(again);
        Assert.Empty(await HoldersAsync(redis, imageKey));
        Assert.Single(cluster.Silos, silo => !silo.Process.HasExited);
        using var last = await PostAsync(http, TestPictures.Unique(4000), "?timeout=60");
        Assert.Equal(HttpStatusCode.OK, last.StatusCode);
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient http, byte[] picture, string query)
    {
        using var content = new ByteArrayContent(picture);
        return await http.PostAsync(new Uri("/v1/detections" + query, UriKind.Relative), content);
    }

    private static async Task AssertDeadLetterAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.InternalServerError, text);
        using var problem = JsonDocument.Parse(text);
        Assert.Equal("/problems/inference-failed", problem.RootElement.GetProperty("type").GetString());
        Assert.Contains("not processed again", problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static async Task<DetectionProcess> WaitForHolderAsync(DetectionCluster cluster, ConnectionMultiplexer redis, string imageKey)
    {
        // Without pauses: the work on the picture is short.
        using var limit = new CancellationTokenSource(Eventually.Soon);
        while (true)
        {
            // The list of a dead batcher exists until another one reclaims it.
            var lists = await HoldersAsync(redis, imageKey);
            if (cluster.Silos.FirstOrDefault(silo => !silo.Process.HasExited && lists.Any(list => list.Contains($":inflight:{silo.Settings[Name]}:", StringComparison.Ordinal))) is { } holder)
            {
                return holder;
            }

            limit.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The in-flight lists that contain the picture: one, or none while no batcher has claimed it.</summary>
    private static async Task<List<string>> HoldersAsync(ConnectionMultiplexer redis, string imageKey)
    {
        var holders = new List<string>();
        await foreach (var list in redis.GetServers()[0].KeysAsync(pattern: "detection:{*}:inflight:*"))
        {
            if (await redis.GetDatabase().ListPositionAsync(list, imageKey) >= 0)
            {
                holders.Add(list.ToString());
            }
        }

        return holders;
    }
}
