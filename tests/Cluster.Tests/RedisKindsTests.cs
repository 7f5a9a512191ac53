using Detection.Client;
using Detection.Contracts.Answers;

namespace Detection.Cluster.Tests;

/// <summary>Another kind of Redis needs only another connection string.</summary>
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

    [Fact]
    public async Task Tls_and_a_password_through_the_front_end()
    {
        RedisServer.SkipUnlessInstalled();
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1, redis: new RedisOptions { Password = "s3cret", Tls = true });
        using var content = new ByteArrayContent(TestPictures.Unique(1));
        content.Headers.ContentType = new("image/jpeg");

        using var answer = await cluster.Frontends[0].Http.PostAsync(new Uri("/v1/detections?timeout=60", UriKind.Relative), content);

        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Sentinels_that_name_the_master()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync();
        var folder = Directory.CreateTempSubdirectory("detection-sentinel-");
        var port = LoopbackPorts.Next();
        var configuration = Path.Combine(folder.FullName, "sentinel.conf");
        await File.WriteAllTextAsync(configuration, $"port {port}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {redis.Port} 1\n");
        await using (ChildProcess.Start("sentinel", "redis-server", [configuration, "--sentinel"]))
        {
            var connection = $"127.0.0.1:{port},serviceName=mymaster";
            await using var silo = DetectionProcess.StartSilo(new Dictionary<string, string?> { [DetectionSettings.Redis] = connection });
            await silo.ReadyAsync();
            await DetectAsync(connection);
        }

        folder.Delete(recursive: true);
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
