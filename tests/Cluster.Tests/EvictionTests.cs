using Detection.Client;
using Detection.Contracts.Answers;

namespace Detection.Cluster.Tests;

/// <summary>That a Redis may evict is said at the start of a silo and of a front end, which serve nevertheless.</summary>
public sealed class EvictionTests
{
    private const string Warning = "set 'maxmemory-policy noeviction'";

    [Theory]
    [InlineData("volatile-lru", "")]
    // Managed servers forbid one or the other.
    [InlineData("volatile-ttl", "-config")]
    [InlineData("volatile-ttl", "-info")]
    public async Task A_policy_that_evicts_is_said_once(string policy, string forbidden)
    {
        await using var cluster = await StartAsync(policy, forbidden);

        await WarnsAsync(cluster.Silos[0], policy);
        Assert.Single(cluster.Silos[0].Process.LogTail(400).Split('\n'), static line => line.Contains(Warning, StringComparison.Ordinal));
        await ServesAsync(cluster);
    }

    [Fact]
    public async Task Noeviction_is_not_mentioned()
    {
        await using var cluster = await StartAsync("noeviction", "");

        await ServesAsync(cluster);
        Assert.DoesNotContain("maxmemory-policy", cluster.Silos[0].Process.LogTail(400), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_front_end_alone_says_it_too_even_when_Redis_comes_later()
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
