using Detection.Client;

namespace Detection.Cluster.Tests;

/// <summary>A Redis that may evict is said to at the start of a silo, which serves nevertheless.</summary>
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

    private static Task WarnsAsync(DetectionProcess silo, string policy) => Eventually.Async(
        () => silo.Process.LogTail(400).Contains($"maxmemory-policy '{policy}'", StringComparison.Ordinal)
            && silo.Process.LogTail(400).Contains(Warning, StringComparison.Ordinal),
        Eventually.Soon,
        "the silo warns");

    private static async Task ServesAsync(DetectionCluster cluster)
    {
        await using var client = new TestClient(cluster.Redis);
        Assert.Equal(AnswerSource.Computed, (await client.Detection.DetectAsync(TestPictures.Unique(1), new DetectionOptions { Deadline = TimeSpan.FromSeconds(60) })).Source);
    }
}
