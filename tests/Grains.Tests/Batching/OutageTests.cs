using Detection.Grains.Batching;
using Detection.Grains.Queueing;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Batching;

/// <summary>Leases that expire in an outage of Redis do not mean that their batchers failed.</summary>
public sealed class OutageTests : SiloTest
{
    [Fact]
    public void EndedLeases_is_true_for_two_lifetimes_after_an_outage()
    {
        var time = new ManualTime();
        var outages = new RedisOutages(TimeSpan.FromSeconds(4), time);
        Assert.False(outages.EndedLeases);
        time.Now += TimeSpan.FromHours(1);
        Assert.False(outages.EndedLeases);

        outages.Noticed();
        Assert.True(outages.EndedLeases);
        time.Now += TimeSpan.FromSeconds(7.9);
        Assert.True(outages.EndedLeases);
        outages.Noticed();
        time.Now += TimeSpan.FromSeconds(7.9);
        Assert.True(outages.EndedLeases);
        time.Now += TimeSpan.FromSeconds(0.2);
        Assert.False(outages.EndedLeases);
    }

    [Fact]
    public async Task Lease_expired_in_an_outage_counts_no_attempt_and_a_later_one_does()
    {
        RedisServer.SkipUnlessInstalled();
        var device = new GatedDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device, ("Detection:Queue:Lease", "00:00:02"));
        await Client.SubmitAsync(TestPictures.Unique(1));
        await Eventually.Async(() => device.Batches.Count == 1, Eventually.Soon, "the device is busy");
        var model = await ModelAsync();
        await Client.SubmitAsync(TestPictures.Unique(2));
        var queue = silo.Services.GetRequiredService<BatcherQueue>();

        // Another batcher holds the second item, and disappears with the outage.
        await HoldAsync(queue, model, "other:in-outage");
        await Redis.StopAsync();
        await Task.Delay(TimeSpan.FromSeconds(3));
        await Redis.StartAgainAsync();
        device.LetOneEnd();
        await ReclaimedAsync(model, "other:in-outage");
        Assert.Equal(0, await AttemptsAsync(model));

        // Two lifetimes later, an expired lease counts again.
        await Eventually.Async(() => device.Batches.Count == 2, Eventually.Soon, "the device is busy again");
        await Task.Delay(TimeSpan.FromSeconds(4));
        await Client.SubmitAsync(TestPictures.Unique(3));
        await HoldAsync(queue, model, "other:later");
        await ReclaimedAsync(model, "other:later");
        Assert.True(await AttemptsAsync(model) >= 1);
        device.Open();
    }

    private static async Task HoldAsync(BatcherQueue queue, string model, string batcher)
    {
        await queue.TakeLeaseAsync(model, batcher);
        Assert.NotEmpty((await queue.ClaimAsync(model, batcher, 32, "other")).Items);
    }

    private async Task ReclaimedAsync(string model, string batcher)
    {
        await using var redis = await Redis.ConnectAsync();
        var held = Keys.InFlight(model, batcher);
        await Eventually.Async(
            async () => !await redis.GetDatabase().SetContainsAsync(Keys.Batchers(model), batcher) && !await redis.GetDatabase().KeyExistsAsync(held),
            Eventually.Soon,
            "its items were reclaimed");
    }

    private async Task<long> AttemptsAsync(string model)
    {
        await using var redis = await Redis.ConnectAsync();
        return (await redis.GetDatabase().HashGetAllAsync(Keys.Attempts(model))).Sum(static (HashEntry entry) => (long)entry.Value);
    }

    private sealed class ManualTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

        public override long GetTimestamp() => Now.Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
