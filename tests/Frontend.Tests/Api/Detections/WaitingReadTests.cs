using System.Globalization;
using System.Net;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;

namespace Detection.Frontend.Tests.Api.Detections;

/// <summary>Many callers that wait for one request cost the cluster as much as one caller, and delay neither other callers nor the stop.</summary>
public sealed class WaitingReadTests
{
    private const int Readers = 400;

    [Fact]
    public async Task Waiting_reads_of_one_request_share_one_call()
    {
        RedisServer.SkipUnlessInstalled();
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1);
        var frontend = cluster.Frontends[0];
        var photo = TestPictures.Unique(8900);
        var before = await DetectAsync(frontend, photo);
        var lost = await LoseAsync(cluster, frontend, TestPictures.Unique(8900 + TestPictures.PhotoCount));

        var readsBefore = await ReadsAsync(cluster.Redis);
        var reading = ReadAsync(frontend, $"{lost}?wait=8");
        Assert.Equal(before, await DetectAsync(frontend, TestPictures.Unique(8900 + (2 * TestPictures.PhotoCount))));
        Assert.All(await Task.WhenAll(reading), status => Assert.Equal(HttpStatusCode.Accepted, status));

        // Each caller looks for the result once. Each call to the grain that finds the request in progress reads two keys every two seconds.
        Assert.InRange(await ReadsAsync(cluster.Redis) - readsBefore, Readers, 2 * Readers);
        Assert.Equal(before, await DetectAsync(frontend, TestPictures.Unique(8900 + (3 * TestPictures.PhotoCount))));

        // The stop does not wait for them.
        reading = ReadAsync(frontend, $"{lost}?wait=60");
        await Eventually.Async(async () => await ReadsAsync(cluster.Redis) - readsBefore > 2 * Readers, Eventually.Soon, "all have looked");
        Assert.Equal(0, await frontend.StopAsync());
        Assert.All(await Task.WhenAll(reading), status => Assert.Equal(HttpStatusCode.ServiceUnavailable, status));
    }

    [Fact]
    public async Task Waiting_reads_are_answered_at_the_end_of_the_request()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1);
        var frontend = cluster.Frontends[0];
        var photo = TestPictures.Unique(8950);
        var lost = await LoseAsync(cluster, frontend, photo);

        var reading = ReadAsync(frontend, $"{lost}?wait=60");
        await using (var redis = await cluster.Redis.ConnectAsync())
        {
            await redis.GetDatabase().KeyDeleteAsync(await MarkAsync(frontend, photo));
        }

        // The request is gone; later callers get the next request for the picture.
        Assert.All(await Task.WhenAll(reading), status => Assert.Equal(HttpStatusCode.NotFound, status));
        await DetectAsync(frontend, photo);
        Assert.All(await Task.WhenAll(ReadAsync(frontend, $"{lost}?wait=60")), status => Assert.Equal(HttpStatusCode.OK, status));
    }

    /// <summary>A request whose mark is in Redis and whose item is in no list, as if it was lost with its batcher.</summary>
    private static async Task<string> LoseAsync(DetectionCluster cluster, DetectionProcess frontend, byte[] photo)
    {
        await using var redis = await cluster.Redis.ConnectAsync();
        var now = DateTimeOffset.UtcNow;
        var mark = string.Create(CultureInfo.InvariantCulture, $"{now.AddHours(1).ToUnixTimeMilliseconds()}|{now.ToUnixTimeMilliseconds()}|");
        await redis.GetDatabase().StringSetAsync(await MarkAsync(frontend, photo), mark, TimeSpan.FromHours(1));
        return $"/v1/detections/{TestPictures.ImageKey(photo)}";
    }

    private static async Task<string> MarkAsync(DetectionProcess frontend, byte[] photo)
    {
        var model = (await frontend.Http.ReadAsync("/v1/models/nanodet-g").AnswerAsync()).GetProperty("id").GetString()!;
        return new RedisKeys().Item(new RequestKey(model, TestPictures.ImageKey(photo)))!;
    }

    private static async Task<string> DetectAsync(DetectionProcess frontend, byte[] photo) =>
        (await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg"), "?timeout=60").AnswerAsync()).GetProperty("boxes").GetRawText();

    private static List<Task<HttpStatusCode>> ReadAsync(DetectionProcess frontend, string path) => [.. Enumerable.Range(0, Readers).Select(async _ =>
    {
        using var response = await frontend.Http.ReadAsync(path);
        return response.StatusCode;
    })];

    /// <summary>Number of keys that were read from Redis.</summary>
    private static async Task<long> ReadsAsync(RedisServer redis)
    {
        var line = (await redis.InfoAsync("commandstats")).Split('\n').First(line => line.StartsWith("cmdstat_get:calls=", StringComparison.Ordinal));
        return long.Parse(line.Split('=', ',')[1], CultureInfo.InvariantCulture);
    }
}
