using Detection.Client;

namespace Detection.Cluster.Tests;

/// <summary>Another kind of Redis is another connection string and nothing else.</summary>
public sealed class RedisKindsTests
{
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    [Fact]
    public async Task A_password()
    {
        RedisServer.SkipUnlessInstalled();
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, redis: new RedisOptions { Password = "s3cret" });
        await DetectAsync(cluster.Redis.ConnectionString);
    }

    [Fact]
    public async Task A_three_node_redis_cluster()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisCluster.StartAsync();
        await using var silo = DetectionProcess.StartSilo(new Dictionary<string, string?> { [DetectionSettings.Redis] = redis.ConnectionString });
        await silo.ReadyAsync();
        await DetectAsync(redis.ConnectionString);
    }

    private static async Task DetectAsync(string redis)
    {
        await using var client = new TestClient(redis);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => client.Detection.DetectAsync(TestPictures.Unique(i), Patient)));
        Assert.All(answers, answer => Assert.Equal(AnswerSource.Computed, answer.Source));
        var again = await client.Detection.DetectAsync(TestPictures.Unique(0), Patient);
        Assert.Equal(AnswerSource.Cached, again.Source);
    }
}
