using Detection.Client;
using Detection.Contracts.Answers;

namespace Detection.Cluster.Tests;

/// <summary>Silos and front ends log at the start that Redis may evict, and serve nevertheless.</summary>
public sealed class EvictionTests
{
    private const string Warning = "set 'maxmemory-policy noeviction'";

    [Theory]
    [InlineData("volatile-lru", "")]
    // Managed servers forbid one of the two commands.
    [InlineData("volatile-ttl", "-config")]
    [InlineData("volatile-ttl", "-info")]
    public async Task Evicting_policy_is_logged_once(string policy, string forbidden)
    {
        await using var cluster = await StartAsync(policy, forbidden);

        await WarnsAsync(cluster.Silos[0], policy);
        Assert.Single(cluster.Silos[0].Process.LogTail(400).Split('\n'), static line => line.Contains(Warning, StringComparison.Ordinal));
        await ServesAsync(cluster);
    }

    [Fact]
    public async Task Noeviction_is_not_logged()
    {
        await using var cluster = await StartAsync("noeviction", "");

        await ServesAsync(cluster);
        Assert.DoesNotContain("maxmemory-policy", cluster.Silos[0].Process.LogTail(400), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Front_end_without_silos_logs_it_even_when_Redis_starts_later()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync(new RedisOptions { MaxMemory = "256mb", MaxMemoryPolicy = "allkeys-lru" });
        await redis.StopAsync();
        await using var frontend = DetectionProcess.StartFrontend(
            new Dictionary<string, string?>(redis.ClientEnvironment) { [DetectionSettings.Redis] = redis.ConnectionString });
        await Eventually.Async(
            async limit => (await frontend.Http.GetAsync(new Uri("/health/live", UriKind.Relative), limit)).IsSuccessStatusCode, Eventually.Soon, "it runs");
        Assert.DoesNotContain("maxmemory-policy", frontend.Process.Log, StringComparison.Ordinal);
        await redis.StartAgainAsync();

        await WarnsAsync(frontend, "allkeys-lru");
        Assert.Single(frontend.Process.Log.Split('\n'), static line => line.Contains(Warning, StringComparison.Ordinal));
    }

    private static async Task<DetectionCluster> StartAsync(string policy, string forbidden)
    {
        RedisServer.SkipUnlessInstalled();
        var cluster = await DetectionCluster.StartAsync(
            silos: 0, frontends: 0, redis: new RedisOptions { MaxMemory = "256mb", MaxMemoryPolicy = policy });
        try
        {
            if (forbidden.Length > 0)
            {
                await using var redis = await cluster.Redis.ConnectAsync();
                await redis.GetDatabase().ExecuteAsync("ACL", "SETUSER", "default", forbidden);
            }

            cluster.AddSilo();
            await cluster.ReadyAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    private static Task WarnsAsync(DetectionProcess process, string policy) => Eventually.Async(
        () => process.Process.LogTail(400).Contains($"maxmemory-policy '{policy}'", StringComparison.Ordinal)
            && process.Process.LogTail(400).Contains(Warning, StringComparison.Ordinal),
        Eventually.Soon,
        "it warns");

    private static async Task ServesAsync(DetectionCluster cluster)
    {
        await using var client = new TestClient(cluster.Redis);
        Assert.Equal(AnswerSource.Computed, (await client.Detection.DetectAsync(TestPictures.Unique(1), new DetectionOptions { Deadline = TimeSpan.FromSeconds(60) })).Source);
    }
}
