using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Detection.Cluster.Tests;

/// <summary>Silos whose machine has a wrong clock, or one that is set while they run.</summary>
public sealed class ClockTests
{
    private const int Pictures = 8;

    private static readonly TimeSpan[] Steps = [TimeSpan.FromMinutes(-1), TimeSpan.FromHours(-3), TimeSpan.FromHours(2), TimeSpan.FromHours(-4)];

    private int _picture;

    [Fact]
    public async Task Silo_with_a_clock_set_back_continues_to_answer_and_rejoins()
    {
        RedisServer.SkipUnlessInstalled();
        using var clock = await MachineClock.CreateAsync();
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1);
        var silo = cluster.AddSilo(clock.Settings);
        await cluster.ReadyAsync();
        var boxes = await AnswerAsync(cluster.Frontends[0]);

        foreach (var step in Steps)
        {
            clock.Set(step);
            await Task.Delay(200, TestContext.Current.CancellationToken);
            Assert.Equal(boxes, await AnswerAsync(cluster.Frontends[0]));
        }

        // Before the time at which it started first, by which the other silo knows its endpoint.
        foreach (var step in Steps)
        {
            await silo.KillAsync();
            clock.Set(step);
            await silo.StartAgainAsync();
            await silo.ReadyAsync();
            Assert.Equal(boxes, await AnswerAsync(cluster.Frontends[0]));
        }

        await using var client = new TestClient(cluster.Redis);
        Assert.Equal(2, (await client.Reports.GetSilosAsync()).Count);
        Assert.DoesNotContain(cluster.Silos, static one => one.Process.HasExited);
    }

    [Fact]
    public async Task Single_process_continues_to_answer_after_clock_steps()
    {
        using var clock = await MachineClock.CreateAsync();
        await using var frontend = DetectionProcess.StartFrontend(clock.Settings);
        await frontend.ReadyAsync();
        var boxes = await AnswerAsync(frontend);

        foreach (var step in Steps.Where(static step => step < TimeSpan.Zero))
        {
            clock.Set(step);
            await Task.Delay(200, TestContext.Current.CancellationToken);
            Assert.Equal(boxes, await AnswerAsync(frontend));
        }
    }

    [Fact]
    public async Task Webhook_has_the_time_of_the_cluster()
    {
        RedisServer.SkipUnlessInstalled();
        using var clock = await MachineClock.CreateAsync();
        await using var receiver = new WebhookReceiver();
        clock.Set(TimeSpan.FromHours(2));
        var settings = new Dictionary<string, string?>(clock.Settings)
        {
            ["Detection__Webhooks__Secret"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = receiver.Port.ToString(CultureInfo.InvariantCulture),
        };
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, settings);
        await using var client = new TestClient(cluster.Redis);
        var url = receiver.Url("told");

        await client.Detection.SubmitAsync(TestPictures.Unique(1), webhook: url);

        var webhook = Assert.Single(await receiver.ReceiveAsync(url));
        Assert.InRange((DateTimeOffset.UtcNow - webhook.At).TotalSeconds, -5, 60);
    }

    /// <summary>Sends new pictures concurrently and returns the boxes of one; all are the same.</summary>
    private async Task<string> AnswerAsync(DetectionProcess frontend)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, Pictures).Select(async _ =>
        {
            using var content = new ByteArrayContent(TestPictures.Unique(Interlocked.Increment(ref _picture) * TestPictures.PhotoCount));
            content.Headers.ContentType = new("image/jpeg");
            using var answer = await frontend.Http.PostAsync(new Uri("/v1/detections?timeout=30", UriKind.Relative), content);
            var body = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"A picture was answered {(int)answer.StatusCode}: {body}");
            return JsonNode.Parse(body)!["boxes"]!.ToJsonString();
        }));
        return Assert.Single(answers.Distinct(StringComparer.Ordinal));
    }
}
