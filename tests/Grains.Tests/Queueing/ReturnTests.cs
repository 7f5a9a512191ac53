using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using static Detection.Grains.Tests.Queueing.QueueFixture;

namespace Detection.Grains.Tests.Queueing;

public sealed class ReturnTests(QueueFixture fixture) : IClassFixture<QueueFixture>
{
    private static readonly RedisKeys Keys = new();
    private readonly string _model = fixture.NewModel();

    [Fact]
    public async Task Returned_items_go_to_the_head_in_order_and_to_another_device()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1, 2, 3, 4);
        await queue.Batchers.TakeLeaseAsync(_model, "sick");
        await queue.Batchers.TakeLeaseAsync(_model, "sound");
        await queue.Batchers.ClaimAsync(_model, "sick", 3, "sick:0");

        Assert.Equal(
            [ReturnOutcome.Returned, ReturnOutcome.Returned, ReturnOutcome.NotHeld], await queue.Batchers.ReturnAsync(_model, "sick", "sick:0", false, [Key(_model, 1), Key(_model, 2), Key(_model, 9)]));

        Assert.Empty((await queue.Batchers.ClaimAsync(_model, "sick", 32, "sick:0")).Items);
        var claim = await queue.Batchers.ClaimAsync(_model, "sound", 32, "sound:0");
        Assert.Equal([(Key(_model, 1), 1), (Key(_model, 2), 1), (Key(_model, 4), 0)], claim.Items.Select(item => (item.Key, item.Attempts)));
    }

    [Fact]
    public async Task Deferred_items_go_to_the_head_in_order_without_an_attempt()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1, 2, 3, 4);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 3);

        Assert.Equal(2, await queue.Batchers.DeferAsync(_model, "a", [Key(_model, 2), Key(_model, 3), Key(_model, 9)]));
        Assert.Equal(0, await queue.Batchers.DeferAsync(_model, "a", [Key(_model, 2)]));

        var claim = await queue.Batchers.ClaimAsync(_model, "a", 32);
        Assert.Equal([(Key(_model, 2), 0), (Key(_model, 3), 0), (Key(_model, 4), 0)], claim.Items.Select(item => (item.Key, item.Attempts)));
        Assert.Equal(4, await queue.Batchers.ReleaseAsync(_model, "a"));
    }

    [Fact]
    public async Task Single_device_may_retry_items_it_failed_on()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "sick");
        await queue.Batchers.TakeLeaseAsync(_model, "other");
        await queue.Batchers.ClaimAsync(_model, "sick", 32, "sick:0");
        await queue.Batchers.ReturnAsync(_model, "sick", "sick:0", false, [Key(_model, 1)]);
        Assert.Empty((await queue.Batchers.ClaimAsync(_model, "sick", 32, "sick:0")).Items);

        await queue.Batchers.ReleaseAsync(_model, "other");

        Assert.Equal(1, Assert.Single((await queue.Batchers.ClaimAsync(_model, "sick", 32, "sick:0")).Items).Attempts);
    }

    [Fact]
    public async Task Item_that_failed_too_often_ends_and_is_not_refused_later()
    {
        var queue = fixture.NewQueue(options => options.MaxAttempts = 3);
        await EnqueueAsync(queue, 1);
        foreach (var (device, expected) in (IEnumerable<(string, ReturnOutcome)>)[("a", ReturnOutcome.Returned), ("b", ReturnOutcome.Returned), ("c", ReturnOutcome.DeadLetter)])
        {
            await queue.Batchers.TakeLeaseAsync(_model, device);
            Assert.Single((await queue.Batchers.ClaimAsync(_model, device, 32, device)).Items);
            Assert.Equal([expected], await queue.Batchers.ReturnAsync(_model, device, device, false, [Key(_model, 1)]));
        }

        Assert.False(await queue.Requests.ContainsAsync(Key(_model, 1)));
        Assert.StartsWith(Key(_model, 1).Item + "|device|3|", (string?)await fixture.Database.ListGetByIndexAsync(Keys.Dead(_model), 0), StringComparison.Ordinal);
        Assert.Equal(0, await fixture.Database.HashLengthAsync(Keys.Attempts(_model)));
        await EnqueueAsync(queue, 1);
    }

    [Fact]
    public async Task First_failure_of_each_sick_device_counts_no_attempt_and_a_sound_one_gets_the_item()
    {
        var queue = fixture.NewQueue(options => options.MaxAttempts = 3);
        await EnqueueAsync(queue, 1);
        string[] devices = ["a", "b", "c", "d", "e"];
        foreach (var device in devices.Append("sound"))
        {
            await queue.Batchers.TakeLeaseAsync(_model, device);
        }

        foreach (var device in devices)
        {
            Assert.Equal(0, Assert.Single((await queue.Batchers.ClaimAsync(_model, device, 32, device)).Items).Attempts);
            Assert.Equal([ReturnOutcome.Returned], await queue.Batchers.ReturnAsync(_model, device, device, true, [Key(_model, 1)]));
            Assert.All(devices.TakeWhile(one => one != device).Append(device), one => Assert.Empty(queue.Batchers.ClaimAsync(_model, one, 32, one).Result.Items));
        }

        Assert.Single((await queue.Batchers.ClaimAsync(_model, "sound", 32, "sound")).Items);
        await queue.Batchers.SettleAsync(_model, "sound", [new Settlement(Key(_model, 1), default)], TimeSpan.FromMinutes(1));
        Assert.Equal(0, await fixture.Database.HashLengthAsync(Keys.Attempts(_model)));
    }

    [Fact]
    public async Task Item_that_makes_devices_sick_ends_although_first_failures_do_not_count()
    {
        var queue = fixture.NewQueue(options => options.MaxAttempts = 3);
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.TakeLeaseAsync(_model, "b");

        // Both devices have failed on it, so either may claim it again.
        var outcomes = new List<ReturnOutcome>();
        for (var i = 0; i < 5; i++)
        {
            var device = i % 2 == 0 ? "a" : "b";
            Assert.Single((await queue.Batchers.ClaimAsync(_model, device, 32, device)).Items);
            outcomes.AddRange(await queue.Batchers.ReturnAsync(_model, device, device, true, [Key(_model, 1)]));
        }

        Assert.Equal([.. Enumerable.Repeat(ReturnOutcome.Returned, 4), ReturnOutcome.DeadLetter], outcomes);
    }

    [Fact]
    public async Task At_most_16_sick_devices_count_no_attempt()
    {
        var queue = fixture.NewQueue(options => options.MaxAttempts = 3);
        await EnqueueAsync(queue, 1);
        for (var i = 0; i < 19; i++)
        {
            await queue.Batchers.TakeLeaseAsync(_model, $"{i}");
        }

        for (var i = 0; i < 19; i++)
        {
            Assert.Single((await queue.Batchers.ClaimAsync(_model, $"{i}", 32, $"{i}")).Items);
            Assert.Equal([i < 18 ? ReturnOutcome.Returned : ReturnOutcome.DeadLetter], await queue.Batchers.ReturnAsync(_model, $"{i}", $"{i}", true, [Key(_model, 1)]));
        }
    }

    [Fact]
    public async Task Settled_item_that_was_returned_leaves_no_keys()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 32, "a");
        await queue.Batchers.ReturnAsync(_model, "a", "a", false, [Key(_model, 1)]);
        await queue.Batchers.ClaimAsync(_model, "a", 32, "a");
        await queue.Batchers.SettleAsync(_model, "a", [new Settlement(Key(_model, 1), default)], TimeSpan.FromMinutes(1));

        Assert.Equal(0, await fixture.Database.HashLengthAsync(Keys.Attempts(_model)));
        Assert.Empty(await queue.Batchers.ReturnAsync(_model, "a", "a", false, Array.Empty<RequestKey>()));
    }

    [Fact]
    public async Task Return_wakes_batchers_for_returned_items_only()
    {
        var queue = fixture.NewQueue(options => options.MaxAttempts = 2);
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 1, "a");
        var woken = 0;
        await using var waking = await queue.Batchers.SubscribeAsync(_model, () => Interlocked.Increment(ref woken));

        await queue.Batchers.ReturnAsync(_model, "a", "a", false, [Key(_model, 8)]);
        await queue.Batchers.ReturnAsync(_model, "a", "a", false, [Key(_model, 1)]);
        await Eventually.Async(() => Volatile.Read(ref woken) == 1, Eventually.Soon, "batchers are woken");

        await queue.Batchers.ClaimAsync(_model, "a", 1, "a");
        Assert.Equal([ReturnOutcome.DeadLetter], await queue.Batchers.ReturnAsync(_model, "a", "a", false, [Key(_model, 1)]));
        await EnqueueAsync(queue, 2);
        await Eventually.Async(() => Volatile.Read(ref woken) >= 2, Eventually.Soon, "batchers are woken");
        Assert.Equal(2, woken);
    }

    [Fact]
    public async Task List_of_failed_devices_is_bounded_and_expires()
    {
        var queue = fixture.NewQueue(options => (options.MaxAttempts, options.DeadLetters, options.DeadLetterExpiry) = (1, 3, TimeSpan.FromMinutes(3)));
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        for (var i = 1; i <= 5; i++)
        {
            await EnqueueAsync(queue, i);
            await queue.Batchers.ClaimAsync(_model, "a", 1, "a");
            await queue.Batchers.ReturnAsync(_model, "a", "a", false, [Key(_model, i)]);
        }

        var dead = await fixture.Database.ListRangeAsync(Keys.Dead(_model));
        Assert.Equal([5, 4, 3], dead.Select(entry => Convert.ToInt32(((string)entry!).Split('|')[0], 16)));
        Assert.InRange((await fixture.Database.KeyTimeToLiveAsync(Keys.Dead(_model))).GetValueOrDefault(), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task Attempts_expire()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 1, "a");
        await queue.Batchers.ReturnAsync(_model, "a", "a", false, [Key(_model, 1)]);
        Assert.InRange((await fixture.Database.KeyTimeToLiveAsync(Keys.Attempts(_model))).GetValueOrDefault(), TimeSpan.FromMinutes(50), TimeSpan.FromHours(1));
    }

    private async Task EnqueueAsync(TestQueue queue, params int[] numbers)
    {
        foreach (var number in numbers)
        {
            Assert.Equal(EnqueueOutcome.Queued, (await queue.Requests.EnqueueAsync(Item(_model, number), int.MaxValue)).Outcome);
        }
    }
}
