using System.Net;

namespace Detection.Cluster.Tests;

/// <summary>Silos that cannot reach Redis any more: all of them, or only one.</summary>
public sealed class CutOffTests
{
    private const int Pictures = 12;
    private const int ExitCode = 3;

    private static readonly Dictionary<string, string?> Settings = new() { ["Detection__CutOff__After"] = "00:00:05" };

    private int _picture;

    [Fact]
    public async Task Silo_cut_off_alone_stops_and_none_stops_when_all_are_cut_off()
    {
        RedisServer.SkipUnlessInstalled();
        var redis = await RedisServer.StartAsync();
        await using var cluster = await DetectionCluster.StartAsync(redis, silos: 0, frontends: 0, Settings);
        await using var first = new RedisProxy(redis);
        await using var second = new RedisProxy(redis);
        DetectionProcess[] silos = [AddSilo(cluster, first), AddSilo(cluster, second)];
        var frontend = cluster.AddFrontend();
        await cluster.ReadyAsync();
        await AnswerAsync(frontend);

        first.Silence();
        second.Silence();
        await Eventually.Async(
            () => silos.All(static silo => silo.Process.HasExited || silo.Process.Log.Contains("no other silo is known to reach it", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60),
            "both silos have asked each other");
        first.Cut();
        second.Cut();
        await cluster.ReadyAsync();
        await AnswerAsync(frontend);
        Assert.DoesNotContain(silos, static silo => silo.Process.HasExited);

        first.Silence();
        await AnswerAsync(frontend);
        await silos[0].Process.ExitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(ExitCode, silos[0].Process.ExitCode);
        await AnswerAsync(frontend);

        // As its supervisor does; the silo waits outside of the cluster.
        await silos[0].StartAgainAsync();
        await Eventually.Async(
            () => silos[0].Process.HasExited || silos[0].Process.Log.Contains("Waiting for Redis", StringComparison.Ordinal), TimeSpan.FromSeconds(60), "the silo waits");
        await AnswerAsync(frontend);
        first.Cut();
        await silos[0].ReadyAsync();
        await AnswerAsync(frontend);

        await using var client = new TestClient(redis);
        Assert.Equal(2, (await client.Reports.GetSilosAsync()).Count);
        Assert.False(silos[1].Process.HasExited);
    }

    private static DetectionProcess AddSilo(DetectionCluster cluster, RedisProxy redis) =>
        cluster.AddSilo(new Dictionary<string, string?> { [DetectionSettings.Redis] = redis.ConnectionString });

    /// <summary>Sends new pictures concurrently and retries each while it is refused, until all are answered.</summary>
    private Task AnswerAsync(DetectionProcess frontend) => Task.WhenAll(Enumerable.Range(0, Pictures).Select(async _ =>
    {
        var picture = TestPictures.Unique(Interlocked.Increment(ref _picture));
        await Eventually.Async(
            async limit =>
            {
                using var content = new ByteArrayContent(picture);
                content.Headers.ContentType = new("image/jpeg");
                using var answer = await frontend.Http.PostAsync(new Uri("/v1/detections?timeout=60", UriKind.Relative), content, limit);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return true;
                }

                return answer is { StatusCode: HttpStatusCode.ServiceUnavailable, Headers.RetryAfter: not null }
                    ? false
                    : throw new ConditionHopelessException($"A picture was answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(limit)}");
            },
            TimeSpan.FromSeconds(60),
            "the picture is answered");
    }));
}
