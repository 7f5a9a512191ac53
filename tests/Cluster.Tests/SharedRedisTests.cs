using System.Globalization;
using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Cluster.Tests;

/// <summary>Clusters with different ids share a Redis and do not affect each other.</summary>
public sealed class SharedRedisTests
{
    private const int Pictures = 12;

    // One id is the beginning of the other: the colon separates them.
    private static readonly string[] Ids = [ClusterId.Default, "detection-2"];

    private static readonly string[] Secrets = ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];

    [Fact]
    public async Task Two_clusters_with_one_Redis_are_independent()
    {
        await using var receiver = new WebhookReceiver();
        await using var deployment = await DetectionCluster.StartAsync(silos: 0, frontends: 0);
        for (var i = 0; i < Ids.Length; i++)
        {
            var settings = new Dictionary<string, string?>
            {
                [DetectionSettings.ClusterId] = Ids[i],
                // The same silo name in both: names are unique within a cluster only.
                ["Detection__Silo__Name"] = "one",
                ["Detection__Webhooks__Secret"] = Secrets[i],
                ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
                ["Detection__Fetch__AllowedPorts__0"] = receiver.Port.ToString(CultureInfo.InvariantCulture),
                ["Detection__LegacyQueue"] = "true",
            };
            deployment.AddSilo(settings);
            deployment.AddFrontend(settings);
        }

        await deployment.ReadyAsync();
        await using var first = new TestClient(deployment.Redis.ConnectionString);
        await using var second = new TestClient(deployment.Redis.ConnectionString, Ids[1]);
        TestClient[] clients = [first, second];

        // The same pictures concurrently in both, with a webhook for each.
        var urls = Ids.Select(id => receiver.Url(id)).ToArray();
        var answers = await Task.WhenAll(clients.Select(client =>
            Task.WhenAll(Enumerable.Range(0, Pictures).Select(i => client.Detection.DetectAsync(TestPictures.Unique(i), new DetectionOptions { Deadline = TimeSpan.FromSeconds(60) })))));
        await Task.WhenAll(clients.Zip(urls, (client, url) => client.Detection.SubmitAsync(TestPictures.Unique(Pictures), webhook: url)));

        Assert.All(answers, of => Assert.All(of, answer => Assert.Equal(AnswerSource.Computed, answer.Source)));
        Assert.Equal(Boxes(answers[0]), Boxes(answers[1]));
        for (var i = 0; i < Ids.Length; i++)
        {
            var webhook = Assert.Single(await receiver.ReceiveAsync(urls[i]));
            Assert.True(webhook.IsSignedWith(Secrets[i]));
            var client = clients[i];
            await Eventually.Async(async () => await client.CompletedAsync() >= Pictures + 1, Eventually.Soon, "its own pictures are counted");
            Assert.Equal(Pictures + 1, await client.CompletedAsync());
            using var status = JsonDocument.Parse(await deployment.Frontends[i].Http.GetStringAsync(new Uri("/v1/status", UriKind.Relative)));
            Assert.Equal("one", Assert.Single(status.RootElement.GetProperty("silos").EnumerateArray()).GetProperty("name").GetString());
        }

        await using var redis = await deployment.Redis.ConnectAsync();
        await EachKeyHasAnOwnerAsync(redis);
        await ResultsAreApartAsync(redis, clients, answers[0][0]);
        await OneGoesOnWithoutTheOtherAsync(deployment, clients);
    }

    private static string[][] Boxes(DetectionAnswer[] answers) =>
        [.. answers.Select(answer => answer.Objects.Select(found => $"{found}").ToArray())];

    private static async Task EachKeyHasAnOwnerAsync(ConnectionMultiplexer redis)
    {
        var names = new List<string>();
        await foreach (var key in redis.GetServers()[0].KeysAsync())
        {
            names.Add(key.ToString());
        }

        var channels = ((RedisResult[])(await redis.GetDatabase().ExecuteAsync("PUBSUB", "CHANNELS"))!).Select(static name => name.ToString());
        names.AddRange(channels.Where(static name => !name.StartsWith("__", StringComparison.Ordinal)));
        var byOwner = names.ToLookup(static name => name.Split(':')[0], static name => name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        Assert.Equal(Ids.Order(), byOwner.Select(static of => of.Key).Order());

        // Both clusters have all kinds of keys.
        Assert.All(Ids, id => Assert.All(
            (string[])["silos", "history", "security", "members", "picture:", "{nanodet-g@", "{webhooks}:", "{imageQueue}:"],
            part => Assert.Contains(byOwner[id], name => name.StartsWith(part, StringComparison.Ordinal))));
    }

    private static async Task ResultsAreApartAsync(ConnectionMultiplexer redis, TestClient[] clients, DetectionAnswer answer)
    {
        Assert.True(await redis.GetDatabase().KeyDeleteAsync(new RedisKeys(Ids[1]).Result(new(answer.Model, answer.ImageKey))));

        Assert.Equal(AnswerSource.Cached, (await clients[0].Detection.DetectAsync(TestPictures.Unique(0))).Source);
        Assert.NotNull(await clients[0].Detection.FindAsync(answer.ImageKey));
        Assert.Null(await clients[1].Detection.FindAsync(answer.ImageKey));
    }

    private static async Task OneGoesOnWithoutTheOtherAsync(DetectionCluster deployment, TestClient[] clients)
    {
        await deployment.Silos[0].KillAsync();

        await Assert.ThrowsAsync<DetectionException>(
            () => clients[0].Detection.DetectAsync(TestPictures.Unique(Pictures + 1), new DetectionOptions { Deadline = TimeSpan.FromSeconds(3) }));
        Assert.Equal(AnswerSource.Computed, (await clients[1].Detection.DetectAsync(TestPictures.Unique(Pictures + 1))).Source);
    }
}
