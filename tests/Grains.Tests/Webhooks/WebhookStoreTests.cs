using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Detection.Contracts.Storage;
using Detection.Grains.Webhooks;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Webhooks;

/// <summary>A separate Redis for each test, because all webhooks of a cluster are in one set.</summary>
public abstract class WebhookStoreTests(RedisOptions options) : IAsyncLifetime
{
    private static readonly RedisKeys Keys = new();
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);
    private static readonly WebhookPayload Payload = new("application/json", [0, 255, 10, 13]);

    private RedisServer _server = null!;
    private ConnectionMultiplexer _redis = null!;
    private WebhookStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RedisServer.StartAsync(options);
        _redis = await _server.ConnectAsync();
        _store = NewStore(capacity: 100);
    }

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Claim_returns_the_registered_webhook_when_it_is_due()
    {
        var webhook = New(1, choice: new BoxChoice(0.123f, 7, ["a,b", "ä"]));
        await _store.RegisterAsync(webhook, DateTimeOffset.UtcNow + Lease);
        var early = await _store.ClaimAsync(10, Lease);
        Assert.Empty(early.Items);
        Assert.Equal(1, early.Waiting);
        Assert.InRange(early.NextDue!.Value - DateTimeOffset.UtcNow, TimeSpan.Zero, Lease);

        await _store.EndedAsync(webhook.Key);

        var claimed = Assert.Single((await _store.ClaimAsync(10, Lease)).Items);
        Assert.Equal(webhook with { Choice = claimed.Webhook.Choice }, claimed.Webhook);
        Assert.Equal((webhook.Choice.Threshold, webhook.Choice.Most), (claimed.Webhook.Choice.Threshold, claimed.Webhook.Choice.Most));
        Assert.Equal(webhook.Choice.Labels, claimed.Webhook.Choice.Labels);
        Assert.Null(claimed.Payload);
        Assert.Equal(0, claimed.Attempts);
        Assert.Null((await NewStore(100).ClaimAsync(10, Lease)).Items.SingleOrDefault());
    }

    [Fact]
    public async Task Concurrent_claims_share_the_due_webhooks()
    {
        var webhooks = Enumerable.Range(0, 90).Select(i => New(i)).ToList();
        foreach (var webhook in webhooks)
        {
            Assert.Equal(WebhookOutcome.TakenOn, await _store.RegisterAsync(webhook, DateTimeOffset.UtcNow));
        }

        var claims = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Task.Run(() => NewStore(100).ClaimAsync(7, Lease))));

        Assert.Equal(webhooks.Select(webhook => webhook.Id).Order(), claims.SelectMany(claim => claim.Items).Select(claimed => claimed.Webhook.Id).Order());
    }

    [Fact]
    public async Task Expired_claim_is_taken_over_and_its_former_holder_changes_nothing()
    {
        await _store.RegisterAsync(New(1), DateTimeOffset.UtcNow);
        var late = Assert.Single((await _store.ClaimAsync(10, TimeSpan.FromMilliseconds(1))).Items);
        ClaimedWebhook? next = null;
        await Eventually.Async(async () => (next = (await _store.ClaimAsync(10, Lease)).Items.SingleOrDefault()) is not null, Eventually.Soon, "the claim has ended");

        Assert.False(await _store.WriteAsync(late, Payload, failed: false));
        Assert.False(await _store.GiveUpAsync(late));
        await _store.PostponeAsync(late, DateTimeOffset.UtcNow);
        Assert.Empty((await _store.ClaimAsync(10, Lease)).Items);

        Assert.True(await _store.WriteAsync(next!, Payload, failed: false));
        await _store.PostponeAsync(next!, DateTimeOffset.UtcNow);
        var again = Assert.Single((await _store.ClaimAsync(10, Lease)).Items);
        Assert.Equal(2, again.Attempts);
        Assert.Equal(Payload.ContentType, again.Payload!.ContentType);
        Assert.Equal(Payload.Body, again.Payload.Body);

        await _store.PostponeAsync(again, DateTimeOffset.UtcNow, attempted: false);
        again = Assert.Single((await _store.ClaimAsync(10, Lease)).Items);
        Assert.Equal(2, again.Attempts);

        // A delivery counts, even after another silo has claimed the webhook.
        Assert.True(await _store.DeliveredAsync(late.Webhook, Lease));
        Assert.False(await _store.DeliveredAsync(again.Webhook, Lease));
        Assert.Equal(0, (await _store.ClaimAsync(10, Lease)).Waiting);
    }

    [Fact]
    public async Task Request_end_during_a_claim_is_not_lost()
    {
        var webhook = New(1);
        await _store.RegisterAsync(webhook, DateTimeOffset.UtcNow);
        var looking = Assert.Single((await _store.ClaimAsync(10, Lease)).Items);

        await _store.EndedAsync(webhook.Key);
        await _store.PostponeAsync(looking, DateTimeOffset.UtcNow + Lease);

        Assert.Single((await _store.ClaimAsync(10, Lease)).Items);
    }

    [Fact]
    public async Task Repeated_end_makes_no_webhook_due_that_is_being_delivered()
    {
        var webhook = New(1);
        await _store.RegisterAsync(webhook, DateTimeOffset.UtcNow);
        var sending = Assert.Single((await _store.ClaimAsync(10, Lease)).Items);
        Assert.True(await _store.WriteAsync(sending, Payload, failed: false));

        await _store.EndedAsync(webhook.Key);

        Assert.Empty((await _store.ClaimAsync(10, Lease)).Items);
    }

    [Fact]
    public async Task Same_url_is_known_until_its_result_expires_and_free_after_a_failure()
    {
        Assert.Equal(WebhookOutcome.TakenOn, await _store.RegisterAsync(New(1, "a"), DateTimeOffset.UtcNow));
        Assert.Equal(WebhookOutcome.Known, await _store.RegisterAsync(New(1, "a"), DateTimeOffset.UtcNow));
        Assert.Equal(WebhookOutcome.TakenOn, await _store.RegisterAsync(New(1, "b"), DateTimeOffset.UtcNow));
        Assert.Equal(WebhookOutcome.TakenOn, await _store.RegisterAsync(New(1, "a", new BoxChoice(0.9f)), DateTimeOffset.UtcNow));
        Assert.Equal(WebhookOutcome.TakenOn, await _store.RegisterAsync(New(2, "a"), DateTimeOffset.UtcNow));
        var claimed = (await _store.ClaimAsync(10, Lease)).Items;
        Assert.Equal(4, claimed.Count);

        await _store.WriteAsync(claimed[0], Payload, failed: false);
        await _store.DeliveredAsync(claimed[0].Webhook, Lease);
        Assert.Equal(WebhookOutcome.Known, await _store.RegisterAsync(Like(claimed[0]), DateTimeOffset.UtcNow));

        await _store.WriteAsync(claimed[1], Payload, failed: true);
        Assert.Equal(WebhookOutcome.TakenOn, await _store.RegisterAsync(Like(claimed[1]), DateTimeOffset.UtcNow));
        await _store.DeliveredAsync(claimed[1].Webhook, Lease);
        Assert.Equal(WebhookOutcome.Known, await _store.RegisterAsync(Like(claimed[1]), DateTimeOffset.UtcNow));

        await _store.GiveUpAsync(claimed[2]);
        Assert.Equal(WebhookOutcome.TakenOn, await _store.RegisterAsync(Like(claimed[2]), DateTimeOffset.UtcNow));

        static Webhook Like(ClaimedWebhook claimed) => claimed.Webhook with { Id = $"msg_{Guid.NewGuid():N}" };
    }

    [Fact]
    public async Task Pending_webhooks_are_limited_and_every_key_expires()
    {
        var store = NewStore(capacity: 3);
        var outcomes = new List<WebhookOutcome>();
        for (var i = 0; i < 5; i++)
        {
            outcomes.Add(await store.RegisterAsync(New(i), DateTimeOffset.UtcNow));
        }

        Assert.Equal([WebhookOutcome.TakenOn, WebhookOutcome.TakenOn, WebhookOutcome.TakenOn, WebhookOutcome.Full, WebhookOutcome.Full], outcomes);
        var claimed = (await store.ClaimAsync(10, Lease)).Items;
        await store.WriteAsync(claimed[0], Payload, failed: false);
        await store.DeliveredAsync(claimed[1].Webhook, Lease);
        await AssertKeysEndAsync();

        // A value that another program wrote there does no harm.
        await _redis.GetDatabase().HashSetAsync(Keys.Webhook(claimed[2].Webhook.Id), "terms", "{}");
        await _redis.GetDatabase().SortedSetAddAsync(Keys.WebhooksDue(), claimed[2].Webhook.Id, 0);
        Assert.Empty((await store.ClaimAsync(10, Lease)).Items);

        // A webhook that has lost its terms is dropped when it is claimed.
        await _redis.GetDatabase().KeyDeleteAsync(Keys.Webhook(claimed[0].Webhook.Id));
        await _redis.GetDatabase().SortedSetAddAsync(Keys.WebhooksDue(), claimed[0].Webhook.Id, 0);
        Assert.Equal(1, (await store.ClaimAsync(10, Lease)).Waiting);
        await store.UnregisterAsync(claimed[2].Webhook);
        Assert.Equal(0, (await store.ClaimAsync(10, Lease)).Waiting);
        Assert.False(await _redis.GetDatabase().KeyExistsAsync(Keys.WebhookKnown(claimed[2].Webhook.Digest)));
        await AssertKeysEndAsync();
    }

    [Fact]
    public async Task Caller_fills_its_share_and_others_find_room()
    {
        var store = NewStore(capacity: 12);

        var first = await FillAsync(store, "a", 0);
        var second = await FillAsync(store, "b", 100);
        var one = await store.RegisterAsync(New(200) with { Caller = "c" }, DateTimeOffset.UtcNow);

        // Half of all places; then half of those that the first one leaves, which is as many as stay free.
        Assert.Equal((6, 3), (first, second));
        Assert.Equal(WebhookOutcome.TakenOn, one);
        Assert.Equal(10, (await store.ClaimAsync(0, Lease)).Waiting);
        await AssertKeysEndAsync();

        // Delivered webhooks make room again, and a caller without webhooks is removed.
        while ((await store.ClaimAsync(12, Lease)).Items is { Count: > 0 } items)
        {
            foreach (var claimed in items.Where(static claimed => claimed.Webhook.Caller == "a"))
            {
                await store.DeliveredAsync(claimed.Webhook, Lease);
            }
        }

        Assert.Equal(WebhookOutcome.TakenOn, await store.RegisterAsync(New(101) with { Caller = "b" }, DateTimeOffset.UtcNow));
        Assert.Equal(["b", "c"], (await _redis.GetDatabase().SetMembersAsync(Keys.WebhookCallers)).Select(static caller => (string)caller!).Order());

        static async Task<int> FillAsync(WebhookStore store, string caller, int number)
        {
            for (var taken = 0; ; taken++)
            {
                var outcome = await store.RegisterAsync(New(number + taken, caller) with { Caller = caller }, DateTimeOffset.UtcNow);
                if (outcome != WebhookOutcome.TakenOn)
                {
                    Assert.Equal(WebhookOutcome.ShareUsed, outcome);
                    return taken;
                }
            }
        }
    }

    [Fact]
    public async Task Callers_take_turns_and_none_uses_all_places()
    {
        for (var i = 0; i < 40; i++)
        {
            await _store.RegisterAsync(New(i, "flood") with { Caller = "flood" }, DateTimeOffset.UtcNow - Lease);
        }

        await _store.RegisterAsync(New(100) with { Caller = "other" }, DateTimeOffset.UtcNow);
        await _store.RegisterAsync(New(101), DateTimeOffset.UtcNow);

        var claim = await _store.ClaimAsync(8, Lease);

        // The webhooks of the flood were due long before the others.
        Assert.Equal(5, claim.Items.Count);
        Assert.Equal(3, claim.Items.Count(static claimed => claimed.Webhook.Caller == "flood"));
        Assert.Contains(claim.Items, static claimed => claimed.Webhook.Caller == "other");
        Assert.Contains(claim.Items, static claimed => claimed.Webhook.Caller is null);

        // Due webhooks of the flood are no reason to claim again before one of its deliveries ends.
        Assert.True(claim.NextDue > DateTimeOffset.UtcNow);
        var held = new Dictionary<string, int> { ["flood"] = 3, ["other"] = 1, [""] = 1 };
        Assert.Empty((await _store.ClaimAsync(3, Lease, held)).Items);
        held["flood"] = 1;
        Assert.Equal(["flood", "flood"], (await _store.ClaimAsync(5, Lease, held)).Items.Select(static claimed => claimed.Webhook.Caller));
    }

    [Fact]
    public async Task Request_end_makes_the_webhooks_of_all_callers_due()
    {
        var webhook = New(1);
        await _store.RegisterAsync(webhook with { Caller = "a" }, DateTimeOffset.UtcNow + Lease);
        await _store.RegisterAsync(New(1, "elsewhere"), DateTimeOffset.UtcNow + Lease);
        Assert.Empty((await _store.ClaimAsync(10, Lease)).Items);

        await _store.EndedAsync(webhook.Key);

        var claimed = (await _store.ClaimAsync(10, Lease)).Items;
        Assert.Equal(["", "a"], claimed.Select(static one => one.Webhook.Caller ?? "").Order());
        Assert.True(await _store.WriteAsync(claimed.Single(static one => one.Webhook.Caller == "a"), Payload, failed: false));
    }

    private async Task AssertKeysEndAsync()
    {
        await foreach (var key in _redis.GetServers()[0].KeysAsync())
        {
            Assert.True(await _redis.GetDatabase().KeyTimeToLiveAsync(key) is not null, $"{key} stays for ever");
        }
    }

    private WebhookStore NewStore(int capacity) =>
        new(_redis, Keys, Microsoft.Extensions.Options.Options.Create(new WebhookOptions { Capacity = capacity }), new ClusterClock(TimeProvider.System));

    private static Webhook New(int number, string url = "hook", BoxChoice? choice = null)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        return new Webhook(
            $"msg_{Guid.NewGuid():N}",
            new RequestKey("test@000000000001", number.ToString("x64"), number % 2 == 0 ? null : 0.5f),
            new Uri($"https://example.org/{url}?a=%20b"),
            choice ?? new BoxChoice(0.5f),
            now,
            now + TimeSpan.FromMinutes(1),
            now + TimeSpan.FromHours(1));
    }
}

public sealed class RedisWebhookStoreTests() : WebhookStoreTests(new RedisOptions());

/// <summary>The same on the embedded Garnet.</summary>
public sealed class GarnetWebhookStoreTests() : WebhookStoreTests(new RedisOptions { Garnet = true });
