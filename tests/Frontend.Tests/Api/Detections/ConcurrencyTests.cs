using System.Globalization;
using System.Text.Json;
using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Api.Detections;

public sealed class ConcurrencyTests(OneProcess frontend)
{
    private static readonly RedisKeys Keys = new();

    [Fact]
    public async Task Two_hundred_requests_of_fifty_photos_run_fifty_inferences()
    {
        const int Photos = 50;
        const int Posts = 200;
        await using var redis = await ConnectionMultiplexer.ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{frontend.RedisPort},password={DetectionSettings.SomePassword}"));

        // The next report includes what other tests did just before.
        var started = DateTimeOffset.UtcNow;
        await Eventually.Async(
            async () => (await ReportsAsync(redis)) is { Count: > 0 } reports
                && reports.All(report => report.ReportedAt > started && report.Batchers.All(batcher => batcher.InFlight == 0)),
            Eventually.Soon,
            "the silo has reported that it rests");
        var before = await CompletedAsync(redis);

        var answers = await Task.WhenAll(Enumerable.Range(0, Posts).Select(async post =>
        {
            using var response = await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(1000 + (post % Photos))), "?timeout=60");
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(response.IsSuccessStatusCode, text);
            return (Cache: response.Headers.GetValues("X-Cache").Single(), Body: JsonDocument.Parse(text).RootElement);
        }));

        Assert.Equal(Photos, answers.Count(answer => answer.Cache == "miss"));
        Assert.Equal(Posts - Photos, answers.Count(answer => answer.Cache is "hit" or "joined"));
        Assert.Equal(Photos, answers.Select(answer => answer.Body.GetProperty("imageKey").GetString()).Distinct().Count());
        Assert.All(
            answers.GroupBy(answer => answer.Body.GetProperty("imageKey").GetString()),
            same => Assert.Single(same.Select(answer => answer.Body.GetProperty("boxes").GetRawText()).Distinct()));

        // The silo reports every few seconds. The count never falls, so too many inferences would be seen too.
        await Eventually.Async(async () => await CompletedAsync(redis) >= before + Photos, Eventually.Soon, "the batcher has reported the pictures");
        Assert.Equal(before + Photos, await CompletedAsync(redis));
    }

    private static async Task<long> CompletedAsync(ConnectionMultiplexer redis) =>
        (await ReportsAsync(redis)).Sum(report => report.Batchers.Sum(batcher => batcher.Completed));

    private static async Task<List<SiloReport>> ReportsAsync(ConnectionMultiplexer redis) =>
        [.. (await redis.GetDatabase().HashGetAllAsync(Keys.Silos)).Select(entry => SiloReport.Deserialize((byte[])entry.Value!)!)];
}
