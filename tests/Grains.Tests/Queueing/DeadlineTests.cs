using System.Text;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using static Detection.Grains.Tests.Queueing.QueueFixture;

namespace Detection.Grains.Tests.Queueing;

/// <summary>Deadlines, with joining callers, wrong clocks and lost answers.</summary>
public abstract class DeadlineTests(QueueFixture fixture)
{
    private static readonly RedisKeys Keys = new();
    private static readonly TimeSpan ResultExpiry = TimeSpan.FromMinutes(5);
    private readonly string _model = fixture.NewModel();

    [Fact]
    public async Task Caller_that_joins_extends_the_deadline_and_never_shortens_it()
    {
        var queue = fixture.NewQueue();
        var first = await queue.Requests.EnqueueAsync(Item(_model, 1, TimeSpan.FromSeconds(10)), 10);
        var longer = await queue.Requests.EnqueueAsync(Item(_model, 1, TimeSpan.FromSeconds(50)), 10);
        var shorter = await queue.Requests.EnqueueAsync(Item(_model, 1, TimeSpan.FromSeconds(5)), 10);

        var item = Assert.Single(await ClaimAsync(queue, "a"));

        Assert.InRange((longer.Deadline - first.Deadline).TotalSeconds, 39, 60);
        Assert.Equal(longer.Deadline, shorter.Deadline);
        Assert.Equal(longer.Deadline, item.Deadline);
    }

    [Fact]
    public async Task Item_of_an_asynchronous_caller_that_joined_is_not_expired_by_the_old_deadline()
    {
        var queue = fixture.NewQueue();
        await queue.Requests.EnqueueAsync(Item(_model, 1, TimeSpan.FromMilliseconds(1)), 10);
        await ClaimAsync(queue, "a");
        Assert.True(await queue.Requests.ExtendAsync(Key(_model, 1), TimeSpan.FromMinutes(1)));
        var woken = 0;
        await using var waking = await queue.Batchers.SubscribeAsync(_model, () => Interlocked.Increment(ref woken));

        Assert.Equal([SettleOutcome.Returned], await ExpireAsync(queue, "a", 1));

        Assert.True(await queue.Requests.ContainsAsync(Key(_model, 1)));
        await Eventually.Async(() => Volatile.Read(ref woken) > 0, Eventually.Soon, "batchers are woken");
        var again = Assert.Single(await ClaimAsync(queue, "a"));
        Assert.Equal(0, again.Attempts);
        Assert.InRange((again.Deadline - DateTimeOffset.UtcNow).TotalSeconds, 30, 60);
    }

    [Fact]
    public async Task Item_without_a_second_caller_expires_at_its_deadline()
    {
        var queue = fixture.NewQueue();
        await queue.Requests.EnqueueAsync(Item(_model, 1, TimeSpan.FromMilliseconds(1)), 10);

        // Until then it returns to the queue each time.
        await Eventually.Async(
            async () =>
            {
                await ClaimAsync(queue, "a");
                return (await ExpireAsync(queue, "a", 1))[0] == SettleOutcome.Settled;
            },
            Eventually.Soon,
            "the item has ended");

        Assert.False(await queue.Requests.ExtendAsync(Key(_model, 1), TimeSpan.FromMinutes(1)));
        Assert.Empty(await ClaimAsync(queue, "a"));
    }

    [Fact]
    public async Task Item_that_an_asynchronous_caller_joined_is_not_withdrawn_even_with_an_earlier_deadline()
    {
        var queue = fixture.NewQueue();
        var first = await queue.Requests.EnqueueAsync(Item(_model, 1), 10);
        await queue.Requests.ExtendAsync(Key(_model, 1), TimeSpan.FromSeconds(1));
        var second = await queue.Requests.EnqueueAsync(Item(_model, 2), 10);
        await queue.Requests.EnqueueAsync(Item(_model, 2, TimeSpan.FromSeconds(1)), 10, asynchronous: true);

        Assert.False(await queue.Requests.WithdrawAsync(Key(_model, 1), first.Deadline));
        Assert.False(await queue.Requests.WithdrawAsync(Key(_model, 2), second.Deadline));

        Assert.Equal([Key(_model, 1), Key(_model, 2)], (await ClaimAsync(queue, "a")).Select(item => item.Key));
    }

    [Fact]
    public async Task Repeated_settle_returns_the_same_answer_and_changes_nothing()
    {
        var queue = fixture.NewQueue();
        await queue.Requests.EnqueueAsync(Item(_model, 1), 10);
        await queue.Requests.EnqueueAsync(Item(_model, 2), 10);
        await ClaimAsync(queue, "a");
        Settlement[] both = [Settled(1, "one"), Settled(3, "never held")];
        Assert.Equal([SettleOutcome.Settled, SettleOutcome.NotHeld], await queue.Batchers.SettleAsync(_model, "a", both, ResultExpiry, 1));

        // Other pictures, and the same one for another batcher, are settled before the settle is repeated.
        await queue.Batchers.SettleAsync(_model, "a", [Settled(2, "two")], ResultExpiry, 2);
        await fixture.Database.KeyDeleteAsync(Keys.Result(Key(_model, 1)));
        await queue.Requests.EnqueueAsync(Item(_model, 1), 10);
        await ClaimAsync(queue, "a");

        Assert.Equal([SettleOutcome.Settled, SettleOutcome.NotHeld], await queue.Batchers.SettleAsync(_model, "a", both, ResultExpiry, 1, again: true));
        Assert.True(await queue.Requests.ContainsAsync(Key(_model, 1)));
        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Result(Key(_model, 1))));
    }

    [Fact]
    public async Task Repeated_settle_that_never_arrived_is_executed()
    {
        var queue = fixture.NewQueue();
        await queue.Requests.EnqueueAsync(Item(_model, 1), 10);
        await queue.Requests.EnqueueAsync(Item(_model, 2), 10);
        await ClaimAsync(queue, "a");
        await queue.Batchers.SettleAsync(_model, "a", [Settled(2, "two")], ResultExpiry, 1);

        // The 65th uses the place of the first.
        Assert.Equal([SettleOutcome.Settled], await queue.Batchers.SettleAsync(_model, "a", [Settled(1, "one")], ResultExpiry, 65, again: true));

        Assert.Equal("one", (string?)await fixture.Database.StringGetAsync(Keys.Result(Key(_model, 1))));
    }

    [Fact]
    public async Task Item_past_its_deadline_in_the_queue_is_not_under_way_and_not_queued_twice()
    {
        var queue = fixture.NewQueue();
        await queue.Requests.EnqueueAsync(Item(_model, 1), 10);
        await MarkAsync(1, TimeSpan.FromMinutes(59));

        Assert.False(await queue.Requests.IsUnderWayAsync(Key(_model, 1)));
        Assert.Equal(EnqueueOutcome.AlreadyThere, (await queue.Requests.EnqueueAsync(Item(_model, 1), 10)).Outcome);

        Assert.True(await queue.Requests.IsUnderWayAsync(Key(_model, 1)));
        Assert.InRange((Assert.Single(await ClaimAsync(queue, "a")).Deadline - DateTimeOffset.UtcNow).TotalSeconds, 30, 61);
    }

    [Fact]
    public async Task Enqueue_of_item_whose_list_expired_before_its_mark_queues_it_again()
    {
        var queue = fixture.NewQueue();
        await MarkAsync(1, TimeSpan.FromMinutes(61));

        Assert.Equal(EnqueueOutcome.Queued, (await queue.Requests.EnqueueAsync(Item(_model, 1), 10)).Outcome);

        Assert.Equal(EnqueueOutcome.AlreadyThere, (await queue.Requests.EnqueueAsync(Item(_model, 1), 10)).Outcome);
        Assert.Equal(Key(_model, 1), Assert.Single(await ClaimAsync(queue, "a")).Key);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("alice")]
    public async Task Enqueue_of_item_that_outlived_its_mark_in_a_list_moves_it_to_the_tail(string? caller)
    {
        var queue = fixture.NewQueue();
        await queue.Requests.EnqueueAsync(Item(_model, 1) with { Caller = caller }, 10);
        await queue.Requests.EnqueueAsync(Item(_model, 2), 10);
        await MarkAsync(1, TimeSpan.FromMinutes(61), caller);

        Assert.Equal(EnqueueOutcome.Queued, (await queue.Requests.EnqueueAsync(Item(_model, 1), 10)).Outcome);

        Assert.Equal([Key(_model, 2), Key(_model, 1)], (await ClaimAsync(queue, "a")).Select(item => item.Key));
        Assert.Equal(0, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Settle_of_item_without_picture_returns_it_when_a_caller_stored_the_picture_again()
    {
        var queue = fixture.NewQueue();
        await queue.Requests.EnqueueAsync(Item(_model, 1), 10);
        await queue.Requests.EnqueueAsync(Item(_model, 2), 10);
        var claimed = await ClaimAsync(queue, "a");
        Assert.True(await queue.Requests.ExtendAsync(Key(_model, 1), TimeSpan.FromMinutes(2)));

        Assert.Equal([SettleOutcome.Returned, SettleOutcome.Settled], await LoseAsync(claimed));

        // With its picture it ends like any other; without it, it is not claimed a third time.
        var again = await ClaimAsync(queue, "a");
        Assert.Equal((Key(_model, 1), 0), (Assert.Single(again).Key, again[0].Attempts));
        Assert.Equal([SettleOutcome.Settled], await LoseAsync(again));
        Assert.False(await queue.Requests.ContainsAsync(Key(_model, 1)));

        Task<SettleOutcome[]> LoseAsync(IReadOnlyList<QueuedItem> items) => queue.Batchers.SettleAsync(
            _model, "a", [.. items.Select(item => new Settlement(item.Key, default, PictureLostAt: item.Deadline))], ResultExpiry);
    }

    [Theory]
    [InlineData(-60, 60)]
    [InlineData(60, -60)]
    [InlineData(0, 60)]
    public async Task Processes_whose_clocks_are_minutes_apart_agree_about_deadlines(int asking, int working)
    {
        var time = new OtherClock(TimeSpan.FromSeconds(working));
        var worker = fixture.NewQueue(time: time);
        var asker = new OtherClock(TimeSpan.FromSeconds(asking));
        var queue = fixture.NewQueue(time: asker);
        var now = asker.GetUtcNow();

        await queue.Requests.EnqueueAsync(new QueuedItem(Key(_model, 1), now + TimeSpan.FromSeconds(20), now), 10);

        var item = Assert.Single(await ClaimAsync(worker, "a"));
        Assert.InRange((item.Deadline - DateTimeOffset.UtcNow).TotalSeconds, 10, 21);
        Assert.InRange((DateTimeOffset.UtcNow - item.EnqueuedAt).TotalSeconds, -1, 10);
        Assert.True(await queue.Requests.IsUnderWayAsync(Key(_model, 1)));
        Assert.True(await worker.Requests.IsUnderWayAsync(Key(_model, 1)));
        Assert.Equal([SettleOutcome.Returned], await ExpireAsync(worker, "a", 1));
        Assert.InRange((await worker.Requests.LookAsync(_model)).Oldest.TotalSeconds, 0, 10);
    }

    [Fact]
    public void ClusterClock_follows_the_time_of_Redis_and_converts_to_local_time()
    {
        var clock = new ClusterClock(new OtherClock(TimeSpan.FromMinutes(-1)));
        var redis = DateTimeOffset.UtcNow;

        clock.Set(redis, clock.GetTimestamp());

        Assert.InRange((clock.GetUtcNow() - redis).TotalSeconds, -1, 10);
        Assert.InRange((redis - clock.ToLocal(redis)).TotalSeconds, 50, 61);
    }

    private async Task<IReadOnlyList<QueuedItem>> ClaimAsync(TestQueue queue, string batcher)
    {
        await queue.Batchers.TakeLeaseAsync(_model, batcher);
        return (await queue.Batchers.ClaimAsync(_model, batcher, 32)).Items;
    }

    private Task<SettleOutcome[]> ExpireAsync(TestQueue queue, string batcher, int item) =>
        queue.Batchers.SettleAsync(_model, batcher, [new Settlement(Key(_model, item), default, Expired: true)], ResultExpiry);

    /// <summary>Gives an item the mark of an item whose deadline passed this long ago.</summary>
    private Task<bool> MarkAsync(int item, TimeSpan ago, string? caller = null)
    {
        var deadline = (DateTimeOffset.UtcNow - ago).ToUnixTimeMilliseconds();
        return fixture.Database.StringSetAsync(Keys.Item(Key(_model, item)), $"{deadline}|{deadline}|{(caller is null ? "" : $"|{caller}")}");
    }

    private Settlement Settled(int item, string result) => new(Key(_model, item), Encoding.UTF8.GetBytes(result));

    /// <summary>The clock of a machine, which is wrong.</summary>
    private sealed class OtherClock(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + off;
    }
}

public sealed class DeadlinesOnRedisTests(QueueFixture fixture) : DeadlineTests(fixture), IClassFixture<QueueFixture>;

public sealed class DeadlinesOnGarnetTests(GarnetQueueFixture fixture) : DeadlineTests(fixture), IClassFixture<GarnetQueueFixture>;
