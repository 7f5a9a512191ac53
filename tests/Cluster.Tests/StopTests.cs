using System.Net;

namespace Detection.Cluster.Tests;

/// <summary>Programs that are stopped while their Redis is unreachable.</summary>
public sealed class StopTests
{
    // Without the code under test, a silo needs its host's shutdown time, 30 s, several times.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(45);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Silo_and_front_end_without_Redis_stop_at_once(bool killed)
    {
        RedisServer.SkipUnlessInstalled();
        await using var cluster = await DetectionCluster.StartAsync(silos: 2, frontends: 1);
        using (var answer = await PostAsync(cluster.Frontends[0], 1))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        if (killed)
        {
            await cluster.Redis.KillAsync();
        }
        else
        {
            cluster.Redis.Pause();
        }

        using (var refused = await PostAsync(cluster.Frontends[0], 2))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }

        var exits = await Task.WhenAll(cluster.Silos.Concat(cluster.Frontends).Select(process => process.StopAsync(Limit)));

        Assert.Equal([0, 0, 0], exits);
        Assert.All(cluster.Silos, silo => Assert.Contains("Redis does not answer while the silo stops", silo.Process.Log, StringComparison.Ordinal));
    }

    private static async Task<HttpResponseMessage> PostAsync(DetectionProcess frontend, int seed)
    {
        using var content = new ByteArrayContent(TestPictures.Unique(seed));
        content.Headers.ContentType = new("image/jpeg");
        return await frontend.Http.PostAsync(new Uri("/v1/detections?timeout=20", UriKind.Relative), content);
    }
}
