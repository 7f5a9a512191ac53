using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Testing;
using static Detection.Grains.Tests.Queueing.QueueFixture;

namespace Detection.Grains.Tests.Queueing;

public sealed class RequestQueueTests(QueueFixture fixture) : IClassFixture<QueueFixture>
{
    private static readonly RedisKeys Keys = new();
    private readonly string _model = fixture.NewModel();

    [Fact]
    public async Task Mark_expiry_is_renewed_by_each_move_of_its_item()
    {
        var queue = fixture.NewQueue();
        await queue.Requests.EnqueueAsync(Item(_model, 1), int.MaxValue);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        Func<Task>[] moves =
        [
            () => queue.Batchers.ClaimAsync(_model, "a", 1),
            () => queue.Batchers.ReturnAsync(_model, "a", "device", false, [Key(_model, 1)]),
            () => queue.Requests.ExtendAsync(Key(_model, 1), TimeSpan.FromMinutes(2)),
        ];
        foreach (var move in moves)
        {
            await fixture.Database.KeyExpireAsync(Keys.Item(Key(_model, 1)), TimeSpan.FromMinutes(1));
            await move();
            Assert.InRange((await fixture.Database.KeyTimeToLiveAsync(Keys.Item(Key(_model, 1)))).GetValueOrDefault(), TimeSpan.FromMinutes(110), TimeSpan.FromHours(2));
        }
    }

    [Fact]
    public async Task Capacity_is_exact_under_concurrent_callers()
    {
        var queue = fixture.NewQueue(options => options.Capacity = 16);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => queue.Requests.EnqueueAsync(Item(_model, i), int.MaxValue)));

        Assert.Equal(16, outcomes.Count(outcome => outcome.Outcome == EnqueueOutcome.Queued));
        Assert.Equal(184, outcomes.Count(outcome => outcome.Outcome == EnqueueOutcome.Full));
        Assert.Equal(16, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Refused_item_leaves_no_keys()
    {
        var queue = fixture.NewQueue();

        var enqueued = await queue.Requests.EnqueueAsync(Item(_model, 1), limit: 0);

        Assert.Equal(EnqueueOutcome.TooLate, enqueued.Outcome);
        Assert.False(await queue.Requests.ContainsAsync(Key(_model, 1)));
        Assert.Equal(0, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Item_is_queued_once_even_while_it_is_processed()
    {
        var queue = fixture.NewQueue();
        Assert.Equal((EnqueueOutcome.Queued, 1), await TryAsync(queue));
        Assert.Equal((EnqueueOutcome.AlreadyThere, 1), await TryAsync(queue));

        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 32);

        Assert.Equal((EnqueueOutcome.AlreadyThere, 0), await TryAsync(queue));
    }

    [Fact]
    public async Task Claims_are_first_in_first_out_and_bounded()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1, 2, 3, 4, 5);
        await queue.Batchers.TakeLeaseAsync(_model, "a");

        var first = await queue.Batchers.ClaimAsync(_model, "a", 3);
        var second = await queue.Batchers.ClaimAsync(_model, "a", 3);

        Assert.Equal([Key(_model, 1), Key(_model, 2), Key(_model, 3)], first.Items.Select(item => item.Key));
        Assert.Equal(2, first.Waiting);
        Assert.Equal([Key(_model, 4), Key(_model, 5)], second.Items.Select(item => item.Key));
        Assert.Equal(0, second.Waiting);
    }

    [Fact]
    public async Task Without_a_lease_nothing_is_claimed()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);

        var claim = await queue.Batchers.ClaimAsync(_model, "a", 32);

        Assert.False(claim.LeaseHeld);
        Assert.Empty(claim.Items);
        Assert.Equal(1, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Item_settles_once_and_only_for_its_batcher()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 32);

        Assert.False(await SettleAsync(queue, "b", 1, "stolen"));
        Assert.True((await fixture.Database.StringGetAsync(Keys.Result(Key(_model, 1)))).IsNull);

        Assert.True(await SettleAsync(queue, "a", 1, "first"));
        Assert.False(await SettleAsync(queue, "a", 1, "second"));
        Assert.Equal("first", (string?)await fixture.Database.StringGetAsync(Keys.Result(Key(_model, 1))));
        Assert.False(await queue.Requests.ContainsAsync(Key(_model, 1)));
        Assert.NotNull(await fixture.Database.KeyTimeToLiveAsync(Keys.Result(Key(_model, 1))));
    }

    [Fact]
    public async Task A_live_batcher_is_not_reclaimed()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 32);

        Assert.True((await queue.Batchers.ReclaimAsync(_model, "a")).Alive);
        Assert.Equal(0, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Reclaimed_items_return_to_the_head_in_order()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1, 2, 3, 4);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 3);
        await fixture.EndLeaseAsync(_model, "a");

        var reclaimed = await queue.Batchers.ReclaimAsync(_model, "a");

        Assert.Equal(3, reclaimed.Returned);
        Assert.Empty(reclaimed.Poison);
        Assert.Empty(await queue.Batchers.BatchersAsync(_model));
        await queue.Batchers.TakeLeaseAsync(_model, "b");
        var claim = await queue.Batchers.ClaimAsync(_model, "b", 32);
        Assert.Equal([1, 2, 3, 4], claim.Items.Select(item => Number(item)));
        Assert.Equal([1, 1, 1, 0], claim.Items.Select(item => item.Attempts));
    }

    [Fact]
    public async Task Batcher_with_an_expired_lease_settles_nothing()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "sleeper");
        await queue.Batchers.ClaimAsync(_model, "sleeper", 32);
        await fixture.EndLeaseAsync(_model, "sleeper");
        await queue.Batchers.ReclaimAsync(_model, "sleeper");
        await queue.Batchers.TakeLeaseAsync(_model, "b");
        await queue.Batchers.ClaimAsync(_model, "b", 32);

        Assert.False(await queue.Batchers.RenewLeaseAsync(_model, "sleeper"));
        Assert.False(await SettleAsync(queue, "sleeper", 1, "late"));
        Assert.True(await queue.Requests.ContainsAsync(Key(_model, 1)));
        Assert.True(await SettleAsync(queue, "b", 1, "result"));
    }

    [Fact]
    public async Task Renewed_lease_registers_a_removed_batcher_again()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 32);
        await fixture.Database.KeyDeleteAsync(Keys.Batchers(_model));

        Assert.True(await queue.Batchers.RenewLeaseAsync(_model, "a"));

        Assert.Equal(["a"], await queue.Batchers.BatchersAsync(_model));
    }

    [Fact]
    public async Task Third_expired_lease_makes_a_dead_letter_and_a_suspect_is_claimed_alone()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1, 2);
        for (var death = 1; death <= 2; death++)
        {
            await DieAsync(queue, $"victim{death}", expectedItems: 2);
        }

        // Both are suspects now: each is claimed alone, so that the innocent one does not become a dead letter, too.
        await queue.Batchers.TakeLeaseAsync(_model, "victim3");
        Assert.Equal(1, Number(Assert.Single((await queue.Batchers.ClaimAsync(_model, "victim3", 32)).Items)));
        await fixture.EndLeaseAsync(_model, "victim3");
        var reclaimed = await queue.Batchers.ReclaimAsync(_model, "victim3");

        Assert.Equal(Key(_model, 1), Assert.Single(reclaimed.Poison));
        Assert.Equal(0, reclaimed.Returned);
        Assert.False(await queue.Requests.ContainsAsync(Key(_model, 1)));
        var letter = Assert.Single(await fixture.Database.ListRangeAsync(Keys.Dead(_model)));
        Assert.StartsWith(Key(_model, 1).Item + "|poison|3|", (string?)letter, StringComparison.Ordinal);
        Assert.NotNull(await fixture.Database.KeyTimeToLiveAsync(Keys.Dead(_model)));
        Assert.Equal(EnqueueOutcome.Poison, (await queue.Requests.EnqueueAsync(Item(_model, 1), int.MaxValue)).Outcome);
        Assert.NotNull(await fixture.Database.KeyTimeToLiveAsync(Keys.Poison(Key(_model, 1))));

        await queue.Batchers.TakeLeaseAsync(_model, "b");
        Assert.Equal(2, Number(Assert.Single((await queue.Batchers.ClaimAsync(_model, "b", 32)).Items)));
        Assert.True(await SettleAsync(queue, "b", 2, "fine"));
        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Attempts(_model)));
        Assert.Equal(EnqueueOutcome.AlreadyDone, (await queue.Requests.EnqueueAsync(Item(_model, 2), int.MaxValue)).Outcome);
    }

    [Fact]
    public async Task Leases_expired_in_outages_count_no_attempt_and_later_ones_do()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        for (var outage = 1; outage <= 3; outage++)
        {
            await DieAsync(queue, $"outage{outage}", expectedItems: 1, counts: false);
        }

        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Attempts(_model)));
        await DieAsync(queue, "victim1", expectedItems: 1);
        await DieAsync(queue, "victim2", expectedItems: 1);
        Assert.True(await queue.Requests.ContainsAsync(Key(_model, 1)));
        await DieAsync(queue, "victim3", expectedItems: 1);

        Assert.False(await queue.Requests.ContainsAsync(Key(_model, 1)));
        Assert.Equal(EnqueueOutcome.Poison, (await queue.Requests.EnqueueAsync(Item(_model, 1), int.MaxValue)).Outcome);
    }

    [Fact]
    public async Task Suspect_is_claimed_without_its_neighbours()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await DieAsync(queue, "victim1", expectedItems: 1);
        await DieAsync(queue, "victim2", expectedItems: 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 32);
        await EnqueueAsync(queue, 2);
        await queue.Batchers.TakeLeaseAsync(_model, "b");
        await queue.Batchers.ClaimAsync(_model, "b", 32);
        await queue.Batchers.ReleaseAsync(_model, "a");
        await queue.Batchers.ReleaseAsync(_model, "b");
        await EnqueueAsync(queue, 3);

        await queue.Batchers.TakeLeaseAsync(_model, "c");
        foreach (var expected in (int[])[2, 1, 3])
        {
            Assert.Equal(expected, Number(Assert.Single((await queue.Batchers.ClaimAsync(_model, "c", 32)).Items)));
        }
    }

    [Fact]
    public async Task Dead_letters_are_bounded()
    {
        var queue = fixture.NewQueue(options => (options.MaxAttempts, options.DeadLetters) = (1, 3));
        for (var i = 0; i < 5; i++)
        {
            await EnqueueAsync(queue, i);
            await DieAsync(queue, $"victim{i}", expectedItems: 1);
        }

        var letters = await fixture.Database.ListRangeAsync(Keys.Dead(_model));
        Assert.Equal([4, 3, 2], letters.Select(letter => Convert.ToInt32(((string)letter!)[..64], 16)));
    }

    [Fact]
    public async Task Release_returns_items_without_an_attempt()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1, 2, 3);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 2);

        Assert.Equal(2, await queue.Batchers.ReleaseAsync(_model, "a"));

        // A claim that was under way takes nothing after the release either.
        Assert.False((await queue.Batchers.ClaimAsync(_model, "a", 32)).LeaseHeld);
        Assert.Empty(await queue.Batchers.BatchersAsync(_model));
        await queue.Batchers.TakeLeaseAsync(_model, "b");
        var claim = await queue.Batchers.ClaimAsync(_model, "b", 32);
        Assert.Equal([1, 2, 3], claim.Items.Select(Number));
        Assert.All(claim.Items, item => Assert.Equal(0, item.Attempts));
    }

    [Fact]
    public async Task Withdrawn_item_frees_its_place_and_a_claimed_one_stays()
    {
        var queue = fixture.NewQueue();
        var first = await queue.Requests.EnqueueAsync(Item(_model, 1), int.MaxValue);
        var second = await queue.Requests.EnqueueAsync(Item(_model, 2), int.MaxValue);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 1);

        Assert.False(await queue.Requests.WithdrawAsync(Key(_model, 1), first.Deadline));
        Assert.True(await queue.Requests.WithdrawAsync(Key(_model, 2), second.Deadline));

        Assert.True(await queue.Requests.ContainsAsync(Key(_model, 1)));
        Assert.False(await queue.Requests.ContainsAsync(Key(_model, 2)));
        Assert.Equal(0, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Item_without_a_mark_is_void()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await fixture.Database.KeyDeleteAsync(Keys.Item(Key(_model, 1)));
        await queue.Batchers.TakeLeaseAsync(_model, "a");

        var claim = await queue.Batchers.ClaimAsync(_model, "a", 32);

        Assert.Empty(claim.Items);
        Assert.Equal(Key(_model, 1), Assert.Single(claim.Void));
    }

    [Fact]
    public async Task Foreign_entries_in_a_list_are_ignored()
    {
        var queue = fixture.NewQueue();
        await fixture.Database.ListRightPushAsync(Keys.Queue(_model), "not a request");
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");

        var claim = await queue.Batchers.ClaimAsync(_model, "a", 32);

        Assert.Equal(1, Number(Assert.Single(claim.Items)));
        Assert.Equal(1, await fixture.Database.ListLengthAsync(Keys.InFlight(_model, "a")));
    }

    [Fact]
    public async Task Enqueueing_wakes_the_batchers_of_the_model_and_no_other()
    {
        var queue = fixture.NewQueue();
        int woken = 0, others = 0;
        await using var own = await queue.Batchers.SubscribeAsync(_model, () => Interlocked.Increment(ref woken));
        await using var other = await queue.Batchers.SubscribeAsync(fixture.NewModel(), () => Interlocked.Increment(ref others));

        await EnqueueAsync(queue, 1);

        await Eventually.Async(() => Volatile.Read(ref woken) == 1, TimeSpan.FromSeconds(5), "the batcher is woken");
        Assert.Equal(0, Volatile.Read(ref others));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Returned_items_wake_the_batchers(bool died)
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 32);
        var woken = 0;
        await using var waking = await queue.Batchers.SubscribeAsync(_model, () => Interlocked.Increment(ref woken));

        if (died)
        {
            await fixture.EndLeaseAsync(_model, "a");
            await queue.Batchers.ReclaimAsync(_model, "a");
        }
        else
        {
            await queue.Batchers.ReleaseAsync(_model, "a");
        }

        await Eventually.Async(() => Volatile.Read(ref woken) == 1, TimeSpan.FromSeconds(5), "the batcher is woken");
    }

    private async Task EnqueueAsync(TestQueue queue, params int[] numbers)
    {
        foreach (var number in numbers)
        {
            Assert.Equal(EnqueueOutcome.Queued, (await queue.Requests.EnqueueAsync(Item(_model, number), int.MaxValue)).Outcome);
        }
    }

    private async Task<(EnqueueOutcome Outcome, int Place)> TryAsync(TestQueue queue)
    {
        var enqueued = await queue.Requests.EnqueueAsync(Item(_model, 1), 10);
        return (enqueued.Outcome, enqueued.Place);
    }

    private async Task DieAsync(TestQueue queue, string batcher, int expectedItems, bool counts = true)
    {
        await queue.Batchers.TakeLeaseAsync(_model, batcher);
        Assert.Equal(expectedItems, (await queue.Batchers.ClaimAsync(_model, batcher, 32)).Items.Count);
        await fixture.EndLeaseAsync(_model, batcher);
        await queue.Batchers.ReclaimAsync(_model, batcher, counts);
    }

    private async Task<bool> SettleAsync(TestQueue queue, string batcher, int number, string result) =>
        (await queue.Batchers.SettleAsync(
            _model, batcher, [new Settlement(Key(_model, number), System.Text.Encoding.UTF8.GetBytes(result))], TimeSpan.FromMinutes(1)))[0] == SettleOutcome.Settled;

    private static int Number(QueuedItem item) => Convert.ToInt32(item.Key.ImageKey, 16);
}
