using System.Globalization;
using Detection.Testing;

namespace Detection.Chaos;

/// <summary>A failure of a cluster under load.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="What">Description of the failure.</param>
/// <param name="Redis">What happens to the data of Redis.</param>
/// <param name="HappenAsync">Causes the failure; completes when the cluster has recovered.</param>
internal sealed record Scenario(string Name, string What, RedisFate Redis, Func<DetectionCluster, Random, Task> HappenAsync)
{
    /// <summary>Starts the Redis of the scenario: one server by default.</summary>
    public Func<Task<IRedisDeployment>> StartRedisAsync { get; private init; } = async () => await RedisServer.StartAsync(KeepsWrites);

    /// <summary>Pictures per second before, during and after the failure.</summary>
    public double Rate { get; private init; } = 4;

    /// <summary>Number of pictures that are sent at once just before the failure.</summary>
    public int Burst { get; private init; } = 40;

    /// <summary>Minimum size of each picture, in bytes.</summary>
    public int PictureBytes { get; private init; }

    /// <summary>Whether every other request is asynchronous: it is accepted at once, and read until it ends.</summary>
    public bool IsHalfAsynchronous { get; private init; }

    /// <summary>Whether the device of the second silo can be made to fail.</summary>
    public bool IsOfSickness { get; private init; }

    // The append-only file shows which results were published.
    private static readonly RedisOptions KeepsWrites = new() { AppendOnly = true };

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

            // The cluster may have declared the silo dead: then the silo ends, and its supervisor restarts it.
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
        new("sentinel-kill", "kill -9 of the master under three Sentinels, 160 requests on the way", RedisFate.LosesLastWrites, (cluster, _) => FailOverAsync(cluster, async master =>
        {
            await master.KillAsync();
            return async () => await master.StartAgainAsync();
        }))
        {
            StartRedisAsync = StartSentinelsAsync,
            Burst = 160,
        },
        new("sentinel-pause", "SIGSTOP of the master under three Sentinels, 160 requests on the way; SIGCONT once another is master", RedisFate.LosesLastWrites, (cluster, _) => FailOverAsync(cluster, master =>
        {
            master.Pause();
            return Task.FromResult<Func<Task>>(() =>
            {
                master.Resume();
                return Task.CompletedTask;
            });
        }))
        {
            StartRedisAsync = StartSentinelsAsync,
            Burst = 160,
        },
        new("sentinel-return", "SIGSTOP of the master under three Sentinels for 12 s, then SIGCONT; half of the requests asynchronous", RedisFate.LosesLastWrites, (cluster, _) => SurviveAsync(cluster, async () =>
        {
            // The old master stays a master until the Sentinels reconfigure it, about ten seconds later.
            var redis = (RedisSentinels)cluster.Deployment;
            var master = await redis.MasterAsync();
            master.Pause();
            await Task.WhenAll(redis.FailedOverAsync(master), Task.Delay(TimeSpan.FromSeconds(12)));
            master.Resume();
            await master.FollowsAsync();
        }))
        {
            StartRedisAsync = StartSentinelsAsync,
            Rate = 8,
            Burst = 16,
            IsHalfAsynchronous = true,
        },
        new("cluster-failover", "CLUSTER FAILOVER of each of three masters and back, 160 requests on the way", RedisFate.LosesLastWrites, (cluster, _) => SurviveAsync(cluster, async () =>
        {
            var redis = (RedisCluster)cluster.Deployment;
            for (var part = 0; part < 6; part++)
            {
                await redis.FailOverAsync(part % 3);
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }))
        {
            StartRedisAsync = static async () => await RedisCluster.StartAsync(replicas: true, options: KeepsWrites),
            Burst = 160,
        },
        new("slow-link", "a link of 10 MB/s to Redis, 64 pictures of 2 MB on the way", RedisFate.Stays, (_, _) => Task.CompletedTask)
        {
            StartRedisAsync = static async () => new SlowRedis(await RedisServer.StartAsync(KeepsWrites), bytesPerSecond: 10_000_000),
            Rate = 0.25,
            Burst = 64,
            PictureBytes = 2_000_000,
        },
        new("redis-full", "Redis without memory for 8 s while accepted requests wait, then with room again", RedisFate.IsAway, (cluster, _) => SurviveAsync(cluster, async () =>
        {
            await using var redis = await cluster.Redis.ConnectAsync();
            var server = redis.GetServers()[0];
            await Eventually.Async(
                async _ => await server.KeysAsync(pattern: "*:item:*").CountAsync() >= 8, TimeSpan.FromSeconds(60), "accepted requests wait");
            await server.ConfigSetAsync("maxmemory-policy", "noeviction");
            await server.ConfigSetAsync("maxmemory", "1mb");
            await Task.Delay(TimeSpan.FromSeconds(8));
            await server.ConfigSetAsync("maxmemory", "0");
        }))
        {
            Burst = 160,
        },
        new("redis-loss", "Redis stopped for 10 s and started without its data", RedisFate.LosesData, (cluster, _) => RestartRedisAsync(cluster, keepData: false)),
        new("one-cut-off", "one of four silos is cut off from Redis until it ends; it is started again where it reaches Redis", RedisFate.IsAway, async (cluster, _) =>
        {
            await using var way = new RedisProxy(cluster.Redis);
            var silo = cluster.AddSilo(new Dictionary<string, string?> { [DetectionSettings.Redis] = way.ConnectionString });
            await silo.ReadyAsync();
            await Task.Delay(TimeSpan.FromSeconds(4));
            way.Silence();
            await EndedForRestartAsync(silo);
            silo.Settings[DetectionSettings.Redis] = cluster.Redis.ConnectionString;
            await silo.StartAgainAsync();
            await silo.ReadyAsync();
        }),
        new("sick-device", "every run of one of two devices fails, out of memory; well again once it is out of service", RedisFate.Stays, (cluster, _) => BeSickAsync(cluster, "OutOfMemory"))
        {
            IsOfSickness = true,
        },
        new("blind-device", "one of two devices finds nothing, without an error; well again once it is out of service", RedisFate.Stays, (cluster, _) => BeSickAsync(cluster, "Blind"))
        {
            IsOfSickness = true,
        },
        new("lost-device", "one of two devices fails with a CUDA error that only a new process mends; its silo ends and is started again", RedisFate.Stays, async (cluster, _) =>
        {
            var sick = new SickSilo(cluster.Frontends[0], cluster.Silos[1]);
            await sick.MakeAsync("CudaError");
            await EndedForRestartAsync(sick.Process);
            await sick.Process.StartAgainAsync();
            await sick.Process.ReadyAsync();
            await sick.ServesAgainAsync();
        })
        {
            IsOfSickness = true,
        },
    ];

    private static async Task KillAndRestartAsync(DetectionProcess silo)
    {
        await silo.KillAsync();
        await silo.StartAgainAsync();
        await silo.ReadyAsync();
    }

    /// <summary>Waits until a silo has ended without a signal, to restart it.</summary>
    private static async Task EndedForRestartAsync(DetectionProcess silo)
    {
        await silo.Process.ExitAsync(TimeSpan.FromSeconds(60));
        if (silo.Process.ExitCode != 3)
        {
            throw silo.Process.Failure("should have ended with exit code 3");
        }
    }

    private static async Task BeSickAsync(DetectionCluster cluster, string kind)
    {
        var sick = new SickSilo(cluster.Frontends[0], cluster.Silos[1]);
        await sick.MakeAsync(kind);
        await sick.OutOfServiceAsync();
        await Task.Delay(TimeSpan.FromSeconds(5));
        await sick.MakeAsync("None");
        await sick.ServesAgainAsync();
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

    private static async Task<IRedisDeployment> StartSentinelsAsync() => await RedisSentinels.StartAsync(KeepsWrites);

    /// <summary>The Sentinels make the replica the master, and then the old master comes back as its replica.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="failAsync">Makes the master fail; returns an action that restores it.</param>
    private static Task FailOverAsync(DetectionCluster cluster, Func<RedisServer, Task<Func<Task>>> failAsync) => SurviveAsync(cluster, async () =>
    {
        var redis = (RedisSentinels)cluster.Deployment;
        var master = await redis.MasterAsync();
        var bringBackAsync = await failAsync(master);
        await redis.FailedOverAsync(master);
        await Task.Delay(TimeSpan.FromSeconds(5));
        await bringBackAsync();
        await master.FollowsAsync();
    });

    /// <summary>A failure of Redis that must end no process.</summary>
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

/// <summary>What happens to the data of Redis in a scenario.</summary>
internal enum RedisFate
{
    Stays,

    /// <summary>The data stay; requests may be refused with 503 during the failure.</summary>
    IsAway,

    /// <summary>The data stay, except writes of the last moment that no replica has received.</summary>
    LosesLastWrites,

    /// <summary>The data are lost; requests may be refused during the failure.</summary>
    LosesData,
}

/// <summary>
/// The counts of one scenario. Late: answered after more than the default deadline. Blind: answered without boxes, although the picture
/// has some.
/// </summary>
internal sealed record Outcome(
    string Scenario, int Sent, int Refused, int Answered, int Late, int Lost, int PublishedTwice, int NeverPublished, int Blind, IReadOnlyList<string> ImmortalKeys, TimeSpan P50, TimeSpan Worst, string? Failure)
{
    public bool Passed => Failure is null && Lost == 0 && PublishedTwice == 0 && NeverPublished == 0 && ImmortalKeys.Count == 0 && Answered > 0;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Passed ? "pass" : "FAIL")}  {Scenario,-18} sent {Sent,4}, refused {Refused,3}, answered {Answered,4}, after 10 s {Late,2}, lost {Lost}, published twice {PublishedTwice}, never {NeverPublished}, blind {Blind}, keys without expiry {ImmortalKeys.Count}, p50 {P50.TotalMilliseconds:F0} ms, worst {Worst.TotalSeconds:F1} s{(Failure is null ? "" : "  " + Failure)}");
}
