using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Objects;

namespace Detection.Cluster.Tests;

public sealed class QueueLimitTests
{
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    [Fact]
    public async Task Full_queue_refuses_at_once_with_RetryAfter()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, new Dictionary<string, string?>
        {
            ["Detection__Queue__Capacity"] = "4",
            ["Detection__Batching__MaxBatch"] = "1",
            ["Detection__CpuWorkers"] = "1",
        });
        await using var client = new TestClient(cluster.Redis);
        await client.Detection.DetectAsync(TestPictures.Unique(1), Patient);

        var calls = await Task.WhenAll(Enumerable.Range(100, 60).Select(async i =>
        {
            try
            {
                await client.Detection.DetectAsync(TestPictures.Unique(i), Patient);
                return null;
            }
            catch (DetectionException e)
            {
                return e;
            }
        }));

        var refused = calls.OfType<DetectionException>().ToList();
        Assert.All(refused, e => Assert.Equal(FailureReason.Busy, e.Reason));
        Assert.All(refused, e => Assert.True(e.RetryAfter >= TimeSpan.FromSeconds(1)));
        Assert.NotEmpty(refused);
        Assert.True(calls.Length - refused.Count >= 4, "what was accepted was answered");
    }

    [Fact]
    public async Task Full_queue_refuses_asynchronous_requests()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, new Dictionary<string, string?>
        {
            ["Detection__Queue__Capacity"] = "4",
            ["Detection__Batching__MaxBatch"] = "1",
            ["Detection__CpuWorkers"] = "1",
        });
        await using var client = new TestClient(cluster.Redis);
        await client.Detection.DetectAsync(TestPictures.Unique(2), Patient);

        var calls = await Task.WhenAll(Enumerable.Range(200, 60).Select(async i =>
        {
            try
            {
                return (Ticket: (DetectionTicket?)await client.Detection.SubmitAsync(TestPictures.Unique(i)), Failure: (DetectionException?)null);
            }
            catch (DetectionException e)
            {
                return (Ticket: (DetectionTicket?)null, Failure: (DetectionException?)e);
            }
        }));

        Assert.All(calls, call => Assert.NotEqual(DetectionStatus.Unknown, call.Ticket?.Status));
        var refused = calls.Select(call => call.Failure).OfType<DetectionException>().ToList();
        Assert.NotEmpty(refused);
        Assert.All(refused, e => Assert.Equal(FailureReason.Busy, e.Reason));
    }

    [Fact]
    public async Task Deadline_that_cannot_be_met_is_refused_at_once()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, new Dictionary<string, string?>
        {
            ["Detection__CpuWorkers"] = "1",
            ["Detection__Batching__MaxBatch"] = "8",
            ["Detection__Queue__Capacity"] = "1000",
        });
        await using var client = new TestClient(cluster.Redis);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => client.Detection.DetectAsync(TestPictures.Unique(i), Patient)));
        await Eventually.Async(
            async () => (await client.BatchersAsync()).Any(batcher => batcher.Rate > 0), Eventually.Soon, "the batcher has measured its rate");

        // More than a second of work is before it.
        var rate = (await client.BatchersAsync()).Sum(batcher => batcher.Rate);
        var waiting = Enumerable.Range(1000, (int)Math.Clamp(3 * rate, 30, 230)).Select(
            i => client.Detection.DetectAsync(TestPictures.Unique(i), Patient with { Caller = i % 2 == 0 ? "alice" : null })).ToList();
        await using var redis = await cluster.Redis.ConnectAsync();
        await Eventually.Async(
            async () => await redis.GetServers()[0].KeysAsync(pattern: "*:item:*").CountAsync() >= Math.Min(1.5 * rate, waiting.Count / 2), Eventually.Soon, "more than a second of work waits");
        var late = new DetectionOptions { Deadline = TimeSpan.FromMilliseconds(600) };
        var failure = await Assert.ThrowsAsync<DetectionException>(() => client.Detection.DetectAsync(TestPictures.Unique(9999), late));
        var own = await Assert.ThrowsAsync<DetectionException>(() => client.Detection.DetectAsync(TestPictures.Unique(9998), late with { Caller = "alice" }));

        Assert.Equal(FailureReason.Busy, failure.Reason);
        Assert.StartsWith("The queued pictures are expected to take about ", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(failure.RetryAfter);

        // The caller is far from its share of 1000 places, so the deadline must be the reason.
        Assert.Equal(FailureReason.ShareUsed, own.Reason);
        Assert.StartsWith("The queued pictures of caller 'alice' are expected to take about ", own.Message, StringComparison.Ordinal);
        Assert.NotNull(own.RetryAfter);
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task Request_without_a_device_waits_until_its_deadline_and_a_new_device_serves_it()
    {
        await using var cluster = await DetectionCluster.StartAsync(
            silos: 1, frontends: 0, new Dictionary<string, string?> { ["Detection__Devices"] = "none" });
        await using var client = new TestClient(cluster.Redis);

        var failure = await Assert.ThrowsAsync<DetectionException>(
            () => client.Detection.DetectAsync(TestPictures.Unique(1), new DetectionOptions { Deadline = TimeSpan.FromSeconds(1) }));
        Assert.Equal(FailureReason.DeadlineExceeded, failure.Reason);
        var frontend = cluster.AddFrontend();
        await Eventually.Async(
            async limit => await ReadinessAsync(frontend, limit) is (503, var why) && why.Contains("No silo has a device.", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60),
            "the front end is not ready and says why");

        var waiting = client.Detection.DetectAsync(TestPictures.Unique(2), Patient);
        cluster.AddSilo(new Dictionary<string, string?> { ["Detection__Devices"] = "cpu" });
        Assert.Equal(AnswerSource.Computed, (await waiting).Source);
        await frontend.ReadyAsync();
    }

    [Fact]
    public async Task Client_waits_for_a_cluster_that_starts_later()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var client = new TestClient(redis);
        var waiting = client.Detection.DetectAsync(TestPictures.Unique(1), Patient);

        var settings = new Dictionary<string, string?>(redis.ClientEnvironment) { [DetectionSettings.Redis] = redis.ConnectionString };
        await using var silo = DetectionProcess.StartSilo(settings);

        Assert.Equal(AnswerSource.Computed, (await waiting).Source);
    }

    private static async Task<(int Status, string Body)> ReadinessAsync(DetectionProcess process, CancellationToken cancellation)
    {
        using var answer = await process.Http.GetAsync(new Uri(DetectionSettings.ReadyPath, UriKind.Relative), cancellation);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellation));
    }
}
