using System.Globalization;
using System.Text.Json.Nodes;
using Detection.Client;
using Detection.Contracts.Storage;
using Detection.Objects;
using StackExchange.Redis;

namespace Detection.Cluster.Tests;

public sealed class WebhookTests
{
    private static readonly RedisKeys Keys = new();
    private const string Secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Fact]
    public async Task Webhook_of_the_client_library_is_delivered_without_a_front_end()
    {
        await using var receiver = new WebhookReceiver();
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, new Dictionary<string, string?>
        {
            ["Detection__Webhooks__Secret"] = Secret,
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = receiver.Port.ToString(CultureInfo.InvariantCulture),
        });
        await using var client = new TestClient(cluster.Redis);
        await using var redis = await cluster.Redis.ConnectAsync();
        var woken = 0;
        var channel = await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(Keys.WebhooksWake));
        channel.OnMessage(_ => Interlocked.Increment(ref woken));

        // It has no webhook, so nothing is looked up or sent for it.
        var ordinary = await client.Detection.SubmitAsync(TestPictures.Unique(1));
        Assert.Equal(DetectionStatus.Done, (await client.Detection.GetStatusAsync(ordinary.ImageKey, TimeSpan.FromSeconds(30))).Status);
        Assert.Empty(await redis.GetDatabase().ExecuteAsync("KEYS", "detection:{webhooks}*") is { } keys ? (string[])keys! : []);

        var picture = await File.ReadAllBytesAsync(TestPictures.Path("walkers.webp"));
        var url = receiver.Url("told");

        var ticket = await client.Detection.SubmitAsync(picture, new DetectionOptions { Labels = ["person"], MaxObjects = 2, Iou = 0.9f }, url);

        Assert.False(ticket.IsFinal);
        var webhook = Assert.Single(await receiver.ReceiveAsync(url));
        Assert.All(Secret.Split(' '), secret => Assert.True(webhook.IsSignedWith(secret)));
        await Eventually.Async(() => Volatile.Read(ref woken) > 0, Eventually.Soon, "the end was told");
        Assert.Equal(1, Volatile.Read(ref woken));
        var answer = await client.Detection.FindAsync(
            ticket.ImageKey, new DetectionOptions { Labels = ["person"], MaxObjects = 2, Iou = 0.9f });
        Assert.Equal(
            answer!.Objects.Select(found => (answer.LabelOf(found), found.Score)),
            JsonNode.Parse(webhook.Body)!["boxes"]!.AsArray().Select(box => (box!["label"]!.GetValue<string>(), box["score"]!.GetValue<float>())));

        var refused = await Assert.ThrowsAsync<DetectionException>(
            () => client.Detection.SubmitAsync(picture, webhook: new Uri("http://192.168.0.1/")));
        Assert.Equal(FailureReason.WebhookRefused, refused.Reason);
    }

    [Theory]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_short")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_")]
    public async Task Invalid_webhook_secret_prevents_the_start(string secret)
    {
        await using var silo = DetectionProcess.StartSilo(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = "127.0.0.1:1",
            ["Detection__Webhooks__Secret"] = secret,
        });

        await silo.Process.ExitAsync(Eventually.Soon);
        Assert.NotEqual(0, silo.Process.ExitCode);
        Assert.Contains("Cannot start: The setting 'Detection__Webhooks__Secret' must be", silo.Process.LogTail(), StringComparison.Ordinal);
    }
}
