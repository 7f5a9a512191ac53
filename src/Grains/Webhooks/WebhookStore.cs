using System.Globalization;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Webhooks;

/// <summary>The outcome of registering a webhook.</summary>
internal enum WebhookOutcome
{
    /// <summary>The limit of pending webhooks is reached.</summary>
    Full,

    /// <summary>It is registered.</summary>
    TakenOn,

    /// <summary>Its URL is already notified about this request.</summary>
    Known,

    /// <summary>The caller's share of pending webhooks is used.</summary>
    ShareUsed,
}

/// <summary>A webhook that a silo has claimed.</summary>
/// <param name="Webhook">The webhook.</param>
/// <param name="Until">The end of the claim: until then no other silo claims it.</param>
/// <param name="Attempts">Attempts to deliver it, including this one; 0 while it has no content.</param>
/// <param name="Payload">Its content; <see langword="null"/> until it is known that the request has ended.</param>
internal sealed record ClaimedWebhook(Webhook Webhook, long Until, int Attempts, WebhookPayload? Payload);

/// <summary>Webhooks that were due.</summary>
/// <param name="Items">The webhooks.</param>
/// <param name="Waiting">Number of pending webhooks, including these.</param>
/// <param name="NextDue">When the next one is due; <see langword="null"/> when none is pending.</param>
internal sealed record WebhookClaim(IReadOnlyList<ClaimedWebhook> Items, int Waiting, DateTimeOffset? NextDue);

/// <summary>
/// Webhooks in Redis (layout: <see cref="RedisKeys"/>), from the submission of their request to their delivery. Each operation is one script and so
/// atomic. A silo claims a webhook by moving its due time. So a webhook becomes due again by itself when its claim is not ended.
/// </summary>
internal sealed class WebhookStore(IConnectionMultiplexer redis, RedisKeys keys, IOptions<WebhookOptions> options, ClusterClock time)
{
    /// <summary>Keys live a little longer than their webhook may be retried, so that an abandoned webhook is noticed and counted.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    private static readonly string Callers = Script("callers");
    private static readonly string RegisterScript = Callers + Script("register");
    private static readonly string EndedScript = Callers + Script("ended");
    private static readonly string ClaimScript = Callers + Script("claim");
    private static readonly string WriteScript = Script("write");
    private static readonly string PostponeScript = Script("postpone");
    private static readonly string FinishScript = Script("finish");

    private static readonly Dictionary<string, int> NoneHeld = [];

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Stores a webhook.</summary>
    /// <param name="webhook">The webhook.</param>
    /// <param name="due">When to check whether its request has ended, if no message reports it before.</param>
    public async Task<WebhookOutcome> RegisterAsync(Webhook webhook, DateTimeOffset due) =>
        (WebhookOutcome)(int)await Database.ScriptEvaluateAsync(
            RegisterScript,
            [
                keys.WebhooksDue(),
                keys.WebhookCallers,
                keys.WebhookKnown(webhook.Digest),
                keys.Webhook(webhook.Id),
                keys.WebhooksOf(webhook.Key),
            ],
            [
                webhook.Id,
                due.ToUnixTimeMilliseconds(),
                options.Value.Capacity,
                (long)(webhook.GiveUpAt - time.GetUtcNow() + Grace).TotalMilliseconds,
                webhook.Serialize(),
                webhook.Digest,
                webhook.Caller ?? "",
                options.Value.CallerShare,
            ]);

    /// <summary>A request has ended: its webhooks are due now, and the deliverers are woken.</summary>
    public Task EndedAsync(RequestKey key) => Database.ScriptEvaluateAsync(
        EndedScript,
        [keys.WebhooksDue(), keys.WebhookCallers, keys.WebhooksOf(key)],
        [time.GetUtcNow().ToUnixTimeMilliseconds(), keys.WebhookPrefix, keys.WebhooksWake]);

    /// <summary>Number of webhooks that are neither delivered nor abandoned.</summary>
    /// <param name="dueBefore">
    /// Counts only those that are due by then; <see langword="null"/> for all. A webhook that is being delivered is due later.
    /// </param>
    public async Task<int> CountAsync(DateTimeOffset? dueBefore = null)
    {
        var latest = dueBefore is { } due ? due.ToUnixTimeMilliseconds() : double.PositiveInfinity;
        var webhooks = await Database.SortedSetLengthAsync(keys.WebhooksDue(), max: latest);
        foreach (var caller in await Database.SetMembersAsync(keys.WebhookCallers))
        {
            webhooks += await Database.SortedSetLengthAsync(keys.WebhooksDue((string)caller!), max: latest);
        }

        return (int)webhooks;
    }

    /// <summary>Claims webhooks that are due.</summary>
    /// <param name="most">Maximum number of webhooks: the free places.</param>
    /// <param name="lease">Duration of the claim; longer than handling one takes.</param>
    /// <param name="held">
    /// Callers that hold places, with their numbers; "" for a caller without a name. No webhook of a caller that has used its share is claimed.
    /// </param>
    public async Task<WebhookClaim> ClaimAsync(int most, TimeSpan lease, IReadOnlyDictionary<string, int>? held = null)
    {
        var now = time.GetUtcNow();
        var until = (now + lease).ToUnixTimeMilliseconds();
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            ClaimScript,
            [keys.WebhooksDue(), keys.WebhookCallers],
            [
                now.ToUnixTimeMilliseconds(), until, most, keys.WebhookPrefix, options.Value.CallerShare,
                .. (held ?? NoneHeld).SelectMany(static pair => (RedisValue[])[pair.Key, pair.Value]),
            ]))!;
        var items = new List<ClaimedWebhook>();
        for (var i = 2; i + 4 < reply.Length; i += 5)
        {
            if (Webhook.Deserialize((string)reply[i]!, (byte[])reply[i + 1]!) is not { } webhook)
            {
                // Another program wrote this value. It expires.
                continue;
            }

            var body = (byte[])reply[i + 4]!;
            items.Add(new ClaimedWebhook(
                webhook, until, (int)reply[i + 2], body.Length == 0 ? null : new WebhookPayload((string)reply[i + 3]!, body)));
        }

        var next = double.Parse((string)reply[1]!, CultureInfo.InvariantCulture);
        return new WebhookClaim(items, (int)reply[0], next < 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)next));
    }

    /// <summary>Stores the content of a claimed webhook. <see langword="false"/> when another silo holds the claim.</summary>
    public async Task<bool> WriteAsync(ClaimedWebhook claimed, WebhookPayload payload, bool failed) =>
        (bool)await Database.ScriptEvaluateAsync(
            WriteScript,
            KeysOf(claimed.Webhook),
            [claimed.Webhook.Id, claimed.Until, payload.ContentType, payload.Body, failed ? 1 : 0]);

    /// <summary>Returns a claimed webhook, to be checked later.</summary>
    /// <param name="claimed">The webhook.</param>
    /// <param name="due">When.</param>
    /// <param name="attempted">Whether an attempt was made; otherwise none is counted.</param>
    /// <param name="wake">Whether to wake the other deliverers.</param>
    public Task PostponeAsync(ClaimedWebhook claimed, DateTimeOffset due, bool attempted = true, bool wake = false) => Database.ScriptEvaluateAsync(
        PostponeScript,
        [keys.WebhooksDue(claimed.Webhook.Caller), keys.Webhook(claimed.Webhook.Id)],
        [
            claimed.Webhook.Id,
            claimed.Until,
            due.ToUnixTimeMilliseconds(),
            attempted || claimed.Attempts == 0 ? 0 : 1,
            wake ? keys.WebhooksWake : "",
        ]);

    /// <summary>A webhook was delivered, even if another silo holds the claim now. <see langword="false"/> when it had ended already.</summary>
    /// <param name="webhook">The webhook.</param>
    /// <param name="known">How long this request is not sent to its URL again. It can be sent again at once when the request failed.</param>
    public Task<bool> DeliveredAsync(Webhook webhook, TimeSpan known) => FinishAsync(webhook, "", known);

    /// <summary>Abandons a claimed webhook. <see langword="false"/> when another silo holds the claim.</summary>
    public Task<bool> GiveUpAsync(ClaimedWebhook claimed) => FinishAsync(claimed.Webhook, claimed.Until, TimeSpan.Zero);

    /// <summary>Removes a webhook whose request was not accepted.</summary>
    public Task UnregisterAsync(Webhook webhook) => FinishAsync(webhook, "", TimeSpan.Zero);

    /// <summary>Calls <paramref name="wake"/> whenever a request with webhooks has ended, until the subscription is disposed.</summary>
    public Task<IAsyncDisposable> SubscribeAsync(Action wake) => WakeUps.SubscribeAsync(redis, keys.WebhooksWake, wake);

    private async Task<bool> FinishAsync(Webhook webhook, RedisValue claim, TimeSpan known) =>
        (bool)await Database.ScriptEvaluateAsync(FinishScript, KeysOf(webhook), [webhook.Id, claim, (long)known.TotalMilliseconds]);

    private RedisKey[] KeysOf(Webhook webhook) =>
    [
        keys.WebhooksDue(webhook.Caller),
        keys.WebhookKnown(webhook.Digest),
        keys.Webhook(webhook.Id),
        keys.WebhooksOf(webhook.Key),
    ];

    private static string Script(string name) => EmbeddedScript.Read(typeof(WebhookStore), name);
}
