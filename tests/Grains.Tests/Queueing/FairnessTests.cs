using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using static Detection.Grains.Tests.Queueing.QueueFixture;

namespace Detection.Grains.Tests.Queueing;

/// <summary>Named callers are served in turn, and none can fill the queue.</summary>
public abstract class FairnessTests(QueueFixture fixture)
{
    private static readonly RedisKeys Keys = new();
    private readonly string _model = fixture.NewModel();
    private int _next;

    [Fact]
    public async Task Callers_are_served_in_turn_in_any_order_of_arrival()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "flood", 6);
        await EnqueueAsync(queue, null, 2);
        await EnqueueAsync(queue, "b", 1);
        await EnqueueAsync(queue, "c", 2);
        await queue.Batchers.TakeLeaseAsync(_model, "a");

        var first = await queue.Batchers.ClaimAsync(_model, "a", 4);
        var second = await queue.Batchers.ClaimAsync(_model, "a", 3);
        var rest = await queue.Batchers.ClaimAsync(_model, "a", 32);

        Assert.Equal([null, "b", "c", "flood"], first.Items.Select(item => item.Caller).Order());
        Assert.Equal(7, first.Waiting);
        Assert.Equal([null, "c", "flood"], second.Items.Select(item => item.Caller).Order());
        Assert.Equal(["flood", "flood", "flood", "flood"], rest.Items.Select(item => item.Caller));
        Assert.Equal([0, 1, 2, 3, 4, 5], first.Items.Concat(second.Items).Concat(rest.Items).Where(item => item.Caller == "flood").Select(Number));
        Assert.Equal(0, rest.Waiting);
        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Callers(_model)));
    }

    [Fact]
    public async Task Late_caller_gets_the_next_turn_and_only_one()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "flood", 10);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 4);

        await EnqueueAsync(queue, "late", 3);

        var claim = await queue.Batchers.ClaimAsync(_model, "a", 6);
        Assert.Equal(3, claim.Items.Count(item => item.Caller == "late"));
        Assert.Equal(3, claim.Items.Count(item => item.Caller == "flood"));
        Assert.NotEqual(claim.Items[0].Caller, claim.Items[1].Caller);
    }

    [Fact]
    public async Task Caller_is_charged_the_cost_of_its_pictures()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "cheap", 30);
        await EnqueueAsync(queue, "costly", 30);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 2);

        await queue.Batchers.ChargeAsync(_model, Turns("costly", 10));

        var claim = await queue.Batchers.ClaimAsync(_model, "a", 12);
        Assert.Equal(11, claim.Items.Count(item => item.Caller == "cheap"));
        Assert.Equal("costly", claim.Items[^1].Caller);
    }

    [Fact]
    public async Task Callers_share_the_cost_of_pictures_and_not_their_number()
    {
        var queue = fixture.NewQueue(options => (options.Capacity, options.CallerShare) = (100_000, 1));
        var costs = new Dictionary<string, int> { ["cheap"] = 1, ["middle"] = 5, ["costly"] = 20 };
        var served = costs.ToDictionary(cost => cost.Key, _ => 0);
        await EnqueueAsync(queue, "cheap", 450);
        await EnqueueAsync(queue, "middle", 120);
        await EnqueueAsync(queue, "costly", 60);
        await queue.Batchers.TakeLeaseAsync(_model, "a");

        while (served.Values.Sum() < 1200)
        {
            var items = (await queue.Batchers.ClaimAsync(_model, "a", 4)).Items;
            foreach (var caller in items.GroupBy(item => item.Caller!))
            {
                served[caller.Key] += caller.Count() * costs[caller.Key];
                await queue.Batchers.ChargeAsync(_model, Turns(caller.Key, caller.Count() * (costs[caller.Key] - 1)));
            }
        }

        // They differ by no more than one claim, because the cost of pictures is not known before they are claimed.
        Assert.InRange(served.Values.Max() - served.Values.Min(), 0, 4 * 20);
    }

    [Fact]
    public async Task Debt_of_a_caller_outlives_its_items()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "cheap", 20);
        await EnqueueAsync(queue, "costly", 1);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 2);
        await queue.Batchers.ChargeAsync(_model, Turns("costly", 5));
        Assert.InRange((await fixture.Database.KeyTimeToLiveAsync($"{Keys.Callers(_model)}:costly"))!.Value.TotalSeconds, 1, 60);

        // Seven items of the other caller are served first: the debt, and the turn that each caller has in any case. Its place shows that.
        Assert.InRange(await EnqueueAsync(queue, "costly", 1), 6, 8);
        var claim = await queue.Batchers.ClaimAsync(_model, "a", 5);

        Assert.All(claim.Items, item => Assert.Equal("cheap", item.Caller));
        Assert.Contains((await queue.Batchers.ClaimAsync(_model, "a", 3)).Items, item => item.Caller == "costly");
        Assert.False(await fixture.Database.KeyExistsAsync($"{Keys.Callers(_model)}:costly"));
    }

    [Fact]
    public async Task Caller_that_withdraws_its_items_keeps_its_debt()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "cheap", 20);
        await EnqueueAsync(queue, "costly", 1);
        var last = await queue.Requests.EnqueueAsync(Item(_model, 900, caller: "costly"), int.MaxValue);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 2);
        await queue.Batchers.ChargeAsync(_model, Turns("costly", 8));

        Assert.True(await queue.Requests.WithdrawAsync(Key(_model, 900), last.Deadline));

        await EnqueueAsync(queue, "costly", 1);
        Assert.All((await queue.Batchers.ClaimAsync(_model, "a", 7)).Items, item => Assert.Equal("cheap", item.Caller));
    }

    [Fact]
    public async Task Callers_without_names_have_no_debt()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, null, 2);

        await queue.Batchers.ChargeAsync(_model, Turns("", 8));

        Assert.False(await fixture.Database.KeyExistsAsync($"{Keys.Callers(_model)}:"));
        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Callers(_model)));
    }

    [Fact]
    public async Task Look_counts_the_items_of_all_callers_and_finds_the_oldest()
    {
        var queue = fixture.NewQueue();
        Assert.Equal(default, await queue.Requests.LookAsync(_model));
        await EnqueueAsync(queue, null, 2);
        await EnqueueAsync(queue, "a", 1);
        await EnqueueAsync(queue, "b", 1);
        var entered = DateTimeOffset.UtcNow - TimeSpan.FromMinutes(10);
        await fixture.Database.StringSetAsync(Keys.Item(Key(_model, 3)), $"{entered.ToUnixTimeMilliseconds() + 60_000}|{entered.ToUnixTimeMilliseconds()}||b");

        var state = await queue.Requests.LookAsync(_model);

        Assert.Equal((4, 0), (state.Length, state.DeadLetters));
        Assert.InRange(state.Oldest, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(11));
    }

    [Fact]
    public async Task Place_counts_the_items_served_before()
    {
        var queue = fixture.NewQueue();
        Assert.Equal(10, await EnqueueAsync(queue, "flood", 10));

        // Each other caller may have one turn before each of these.
        Assert.Equal(2, await EnqueueAsync(queue, "b", 1));
        Assert.Equal(4, await EnqueueAsync(queue, "b", 1));
        Assert.Equal(3, await EnqueueAsync(queue, null, 1));
        Assert.Equal(14, await EnqueueAsync(queue, "flood", 1));
        Assert.Equal(14, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Caller_over_its_share_is_refused_while_others_are_accepted()
    {
        var queue = fixture.NewQueue(options => options.Capacity = 16);
        await EnqueueAsync(queue, "flood", 8);
        Assert.Equal(EnqueueOutcome.ShareUsed, await RefusedAsync(queue, "flood"));

        // A second caller fills half of the places that the first left, and a third still finds room.
        await EnqueueAsync(queue, "flood2", 4);
        Assert.Equal(EnqueueOutcome.ShareUsed, await RefusedAsync(queue, "flood2"));
        Assert.Equal(EnqueueOutcome.ShareUsed, await RefusedAsync(queue, "flood"));
        await EnqueueAsync(queue, "b", 2);
        Assert.Equal(14, await queue.Requests.LengthAsync(_model));

        // The capacity applies to all callers together.
        await EnqueueAsync(queue, null, 2);
        Assert.Equal(EnqueueOutcome.Full, await RefusedAsync(queue, "c"));
        Assert.Equal(EnqueueOutcome.Full, await RefusedAsync(queue, null));
        Assert.Equal(16, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Capacity_is_exact_under_concurrent_callers_of_many_names()
    {
        var queue = fixture.NewQueue(options => (options.Capacity, options.CallerShare) = (16, 1));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(
            i => queue.Requests.EnqueueAsync(Item(_model, i, caller: i % 7 == 0 ? null : $"caller-{i % 7}"), int.MaxValue)));

        Assert.Equal(16, outcomes.Count(outcome => outcome.Outcome == EnqueueOutcome.Queued));
        Assert.Equal(184, outcomes.Count(outcome => outcome.Outcome == EnqueueOutcome.Full));
        Assert.Equal(16, await queue.Requests.LengthAsync(_model));
    }

    [Fact]
    public async Task Item_that_is_too_late_because_of_its_callers_items_is_OwnTooLate()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "flood", 10);

        Assert.Equal(EnqueueOutcome.OwnTooLate, await RefusedAsync(queue, "flood", limit: 10));
        Assert.Equal(EnqueueOutcome.TooLate, await RefusedAsync(queue, "b", limit: 1));
        Assert.Equal(EnqueueOutcome.Queued, (await queue.Requests.EnqueueAsync(Item(_model, 99, caller: "b"), 2)).Outcome);
    }

    [Fact]
    public async Task Item_that_is_too_late_because_of_many_callers_is_not_OwnTooLate()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "a", 3);
        await EnqueueAsync(queue, "b", 3);

        // With one other caller there would be room; with two there is none.
        Assert.Equal(EnqueueOutcome.OwnTooLate, await RefusedAsync(queue, "a", limit: 2));
        await EnqueueAsync(queue, "c", 3);
        Assert.Equal(EnqueueOutcome.TooLate, await RefusedAsync(queue, "a", limit: 2));
    }

    [Fact]
    public async Task Reclaimed_items_return_to_the_heads_of_their_callers_lists()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "b", 3);
        await EnqueueAsync(queue, "c", 3);
        await queue.Batchers.TakeLeaseAsync(_model, "a");
        await queue.Batchers.ClaimAsync(_model, "a", 5);
        await fixture.EndLeaseAsync(_model, "a");

        Assert.Equal(5, (await queue.Batchers.ReclaimAsync(_model, "a")).Returned);

        await queue.Batchers.TakeLeaseAsync(_model, "d");
        var claim = await queue.Batchers.ClaimAsync(_model, "d", 32);
        Assert.Equal([0, 1, 2], claim.Items.Where(item => item.Caller == "b").Select(Number));
        Assert.Equal([3, 4, 5], claim.Items.Where(item => item.Caller == "c").Select(Number));
        Assert.Equal(claim.Items.Count, await queue.Batchers.ReleaseAsync(_model, "d"));
        await queue.Batchers.TakeLeaseAsync(_model, "e");
        Assert.Equal(claim.Items.Select(item => item.Key), (await queue.Batchers.ClaimAsync(_model, "e", 32)).Items.Select(item => item.Key));
    }

    [Fact]
    public async Task A_named_item_is_withdrawn_from_its_callers_list()
    {
        var queue = fixture.NewQueue();
        var queued = await queue.Requests.EnqueueAsync(Item(_model, 0, caller: "b"), int.MaxValue);

        Assert.True(await queue.Requests.WithdrawAsync(Key(_model, 0), queued.Deadline));

        Assert.Equal(0, await queue.Requests.LengthAsync(_model));
        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Callers(_model)));
        Assert.False(await queue.Requests.ContainsAsync(Key(_model, 0)));
    }

    [Fact]
    public async Task Expired_list_gets_no_turn()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, "b", 2);
        await EnqueueAsync(queue, "c", 1);
        await fixture.Database.KeyDeleteAsync(Keys.Queue(_model, "b"));
        await queue.Batchers.TakeLeaseAsync(_model, "a");

        var claim = await queue.Batchers.ClaimAsync(_model, "a", 32);

        Assert.Equal("c", Assert.Single(claim.Items).Caller);
        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Callers(_model)));
    }

    [Fact]
    public async Task Callers_without_names_use_one_list()
    {
        var queue = fixture.NewQueue();
        await EnqueueAsync(queue, null, 3);
        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Callers(_model)));
        await queue.Batchers.TakeLeaseAsync(_model, "a");

        Assert.Equal(2, (await queue.Batchers.ClaimAsync(_model, "a", 2)).Items.Count);

        Assert.False(await fixture.Database.KeyExistsAsync(Keys.Callers(_model)));
        Assert.Equal(1, await fixture.Database.ListLengthAsync(Keys.Queue(_model)));
    }

    private async Task<int> EnqueueAsync(TestQueue queue, string? caller, int count)
    {
        var place = 0;
        for (var i = 0; i < count; i++)
        {
            var enqueued = await queue.Requests.EnqueueAsync(Item(_model, _next++, caller: caller), int.MaxValue);
            Assert.Equal(EnqueueOutcome.Queued, enqueued.Outcome);
            place = enqueued.Place;
        }

        return place;
    }

    private async Task<EnqueueOutcome> RefusedAsync(TestQueue queue, string? caller, int limit = int.MaxValue)
    {
        var item = Item(_model, 1000, caller: caller);
        var outcome = (await queue.Requests.EnqueueAsync(item, limit)).Outcome;
        Assert.False(await queue.Requests.ContainsAsync(item.Key));
        return outcome;
    }

    private static Dictionary<string, int> Turns(string caller, int turns) => new() { [caller] = turns };

    private static int Number(QueuedItem item) => Convert.ToInt32(item.Key.ImageKey, 16);
}

public sealed class FairnessOnRedisTests(QueueFixture fixture) : FairnessTests(fixture), IClassFixture<QueueFixture>;

public sealed class FairnessOnGarnetTests(GarnetQueueFixture fixture) : FairnessTests(fixture), IClassFixture<GarnetQueueFixture>;
