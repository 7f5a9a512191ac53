using System.Globalization;
using Detection.Testing;

namespace Detection.Chaos;

/// <summary>Something that happens to a cluster under load.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="What">What happens, for people.</param>
/// <param name="Redis">What becomes of Redis.</param>
/// <param name="HappenAsync">Makes it happen; ends when the cluster is whole again.</param>
internal sealed record Scenario(string Name, string What, RedisFate Redis, Func<DetectionCluster, Random, Task> HappenAsync)
{
    public static readonly IReadOnlyList<Scenario> All =
    [
        new("kill-batcher", "kill -9 of a silo in the middle of a batch", RedisFate.Stays, async (cluster, random) =>
        {
            await KillAndRestartAsync(cluster.Silos[random.Next(2)]);
        }),
        new("kill-request-silo", "kill -9 of the silo without devices, which holds request grains", RedisFate.Stays, async (cluster, _) =>
        {
            await KillAndRestartAsync(cluster.Silos[2]);
        }),
        new("kill-all", "kill -9 of all silos at once, and start again", RedisFate.Stays, async (cluster, _) =>
        {
            await Task.WhenAll(cluster.Silos.Select(silo => silo.KillAsync()));
            foreach (var silo in cluster.Silos)
            {
                await silo.StartAgainAsync();
            }

            await cluster.ReadyAsync();
        }),
        new("pause", "SIGSTOP of a silo beyond its lease, then SIGCONT", RedisFate.Stays, async (cluster, random) =>
        {
            var silo = cluster.Silos[random.Next(2)];
            silo.Pause();
            await Task.Delay(TimeSpan.FromSeconds(8));
            silo.Resume();

            // Its cluster may have declared it dead meanwhile: then it ends itself, and whoever runs it starts it again.
            await RestartIfEndedAsync(silo);
        }),
        new("silence", "SIGSTOP of a silo for good, as when a machine loses power, and start again", RedisFate.Stays, async (cluster, random) =>
        {
            var silo = cluster.Silos[random.Next(2)];
            silo.Pause();
            await Task.Delay(TimeSpan.FromSeconds(12));
            await KillAndRestartAsync(silo);
        }),
        new("rolling-restart", "SIGTERM and start of every silo, one after another", RedisFate.Stays, async (cluster, _) =>
        {
            foreach (var silo in cluster.Silos)
            {
                await silo.StopAsync();
                await silo.StartAgainAsync();
                await silo.ReadyAsync();
            }
        }),
        new("redis-pause", "SIGSTOP of Redis for 6 s, then SIGCONT", RedisFate.IsAway, async (cluster, _) =>
        {
            await SurviveAsync(cluster, async () =>
            {
                cluster.Redis.Pause();
                await Task.Delay(TimeSpan.FromSeconds(6));
                cluster.Redis.Resume();
            });
        }),
        new("redis-restart", "Redis stopped for 10 s and started with its data", RedisFate.IsAway, (cluster, _) => RestartRedisAsync(cluster, keepData: true)),
        new("redis-loss", "Redis stopped for 10 s and started without its data", RedisFate.LosesData, (cluster, _) => RestartRedisAsync(cluster, keepData: false)),
    ];

    private static async Task KillAndRestartAsync(DetectionProcess silo)
    {
        await silo.KillAsync();
        await silo.StartAgainAsync();
        await silo.ReadyAsync();
    }

    private static async Task RestartIfEndedAsync(DetectionProcess silo)
    {
        await Eventually.Async(
            async limit => silo.Process.HasExited || await silo.IsReadyAsync(limit), TimeSpan.FromSeconds(60), $"{silo.Name} is back or has ended");
        if (silo.Process.HasExited)
        {
            await silo.StartAgainAsync();
            await silo.ReadyAsync();
        }
    }

    private static Task RestartRedisAsync(DetectionCluster cluster, bool keepData) => SurviveAsync(cluster, async () =>
    {
        await cluster.Redis.StopAsync();
        await Task.Delay(TimeSpan.FromSeconds(10));
        await cluster.Redis.StartAgainAsync(keepData);
    });

    /// <summary>Something happens to Redis that no process may end of.</summary>
    private static async Task SurviveAsync(DetectionCluster cluster, Func<Task> happenAsync)
    {
        var processes = cluster.Silos.Concat(cluster.Frontends).ToDictionary(process => process, process => process.Process.Id);
        await happenAsync();
        await cluster.ReadyAsync();
        foreach (var (process, id) in processes)
        {
            if (process.Process.HasExited || process.Process.Id != id)
            {
                throw new InvalidOperationException($"{process.Name} did not survive the outage of Redis.");
            }
        }
    }
}

/// <summary>What becomes of Redis in a scenario.</summary>
internal enum RedisFate
{
    Stays,

    /// <summary>Requests may be refused with 503 meanwhile.</summary>
    IsAway,

    /// <summary>As before, and what was published until then is gone.</summary>
    LosesData,
}

/// <summary>The counts of one scenario. Late: answered, but after more than the default deadline.</summary>
internal sealed record Outcome(
    string Scenario, int Sent, int Refused, int Answered, int Late, int Lost, int PublishedTwice, int NeverPublished, IReadOnlyList<string> ImmortalKeys, TimeSpan P50, TimeSpan Worst, string? Failure)
{
    public bool Passed => Failure is null && Lost == 0 && PublishedTwice == 0 && NeverPublished == 0 && ImmortalKeys.Count == 0 && Answered > 0;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Passed ? "pass" : "FAIL")}  {Scenario,-18} sent {Sent,4}, refused {Refused,3}, answered {Answered,4}, after 10 s {Late,2}, lost {Lost}, published twice {PublishedTwice}, never {NeverPublished}, keys without expiry {ImmortalKeys.Count}, p50 {P50.TotalMilliseconds:F0} ms, worst {Worst.TotalSeconds:F1} s{(Failure is null ? "" : "  " + Failure)}");
}
