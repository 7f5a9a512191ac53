using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using static Detection.Grains.Tests.Queueing.QueueFixture;

namespace Detection.Grains.Tests.Queueing;

public class AbandonTests(QueueFixture fixture) : IClassFixture<QueueFixture>
{
    private static readonly RedisKeys Keys = new();
    private readonly string _model = fixture.NewModel();

    [Fact]
    public async Task Abandon_ends_the_items_of_all_callers_oldest_first_up_to_the_limit()
    {
        var queue = fixture.NewQueue();
        for (var i = 1; i <= 7; i++)
        {
            await queue.Requests.EnqueueAsync(Item(_model, i, caller: i <= 3 ? null : i <= 5 ? "alice" : "bob"), int.MaxValue);
        }

        var ended = new List<RequestKey>();
        foreach (var (most, count) in new[] { (3, 3), (2, 2), (5, 2), (5, 0) })
        {
            var some = await queue.Requests.AbandonAsync(_model, most);
            Assert.Equal(count, some.Count);
            ended.AddRange(some);
            Assert.Equal(7 - ended.Count, await queue.Requests.LengthAsync(_model));
        }

        Assert.Equal(Enumerable.Range(1, 7).Select(i => Key(_model, i)).ToHashSet(), ended.ToHashSet());
        foreach (var (first, second) in new[] { (1, 2), (2, 3), (4, 5), (6, 7) })
        {
            Assert.True(ended.IndexOf(Key(_model, first)) < ended.IndexOf(Key(_model, second)), $"{first} after {second}");
        }

        await AssertNothingIsLeftAsync();
    }

    /// <summary>BullMQ #1644: what was removed by half could never be added again. #2635: keys of a removed queue came back.</summary>
    [Fact]
    public async Task Late_messages_restore_nothing_and_the_queue_is_usable()
    {
        var queue = fixture.NewQueue();
        await queue.Batchers.TakeLeaseAsync(_model, "late");
        await queue.Requests.EnqueueAsync(Item(_model, 1), int.MaxValue);
        await queue.Requests.EnqueueAsync(Item(_model, 2, caller: "alice"), int.MaxValue);
        await queue.Requests.EnqueueAsync(Item(_model, 3), int.MaxValue);
        Assert.Equal(2, (await queue.Batchers.ClaimAsync(_model, "late", 2)).Items.Count);
        await fixture.EndLeaseAsync(_model, "late");
        await queue.Batchers.ReclaimAsync(_model, "late", counts: false);
        Assert.Equal(3, (await queue.Requests.AbandonAsync(_model, 100)).Count);

        Assert.Equal(
            [SettleOutcome.NotHeld, SettleOutcome.NotHeld],
            await queue.Batchers.SettleAsync(_model, "late", [new(Key(_model, 1), new byte[] { 1 }), new(Key(_model, 2), new byte[] { 2 }, Expired: true)], TimeSpan.FromMinutes(1)));
        Assert.Equal([ReturnOutcome.NotHeld], await queue.Batchers.ReturnAsync(_model, "late", "device", false, [Key(_model, 2)]));
        Assert.Equal(0, await queue.Batchers.ReleaseAsync(_model, "late"));
        Assert.False(await queue.Requests.ExtendAsync(Key(_model, 1), TimeSpan.FromMinutes(1)));
        Assert.False(await queue.Requests.WithdrawAsync(Key(_model, 1), DateTimeOffset.UtcNow));
        await AssertNothingIsLeftAsync();

        await queue.Batchers.TakeLeaseAsync(_model, "next");
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal(EnqueueOutcome.Queued, (await queue.Requests.EnqueueAsync(Item(_model, i, caller: i == 2 ? "alice" : null), int.MaxValue)).Outcome);
        }

        Assert.Equal([1, 2, 3], (await queue.Batchers.ClaimAsync(_model, "next", 32)).Items.Select(item => Convert.ToInt32(item.Key.ImageKey, 16)).Order());
    }

    private async Task AssertNothingIsLeftAsync()
    {
        for (var i = 1; i <= 7; i++)
        {
            Assert.False(await fixture.Database.KeyExistsAsync(Keys.Item(Key(_model, i))), $"the mark of {i} is left");
            Assert.False(await fixture.Database.KeyExistsAsync(Keys.Result(Key(_model, i))), $"{i} has a result");
        }

        foreach (var key in new[] { Keys.Queue(_model), Keys.Queue(_model, "alice"), Keys.Queue(_model, "bob"), Keys.Callers(_model), Keys.InFlight(_model, "late") })
        {
            Assert.False(await fixture.Database.KeyExistsAsync(key), $"{key} is left");
        }
    }
}

/// <summary>The same on the embedded Garnet.</summary>
public sealed class AbandonOnGarnetTests(GarnetQueueFixture fixture) : AbandonTests(fixture), IClassFixture<GarnetQueueFixture>;
