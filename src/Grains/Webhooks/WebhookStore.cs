using System.Globalization;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Webhooks;

/// <summary>What became of an attempt to take on a webhook.</summary>
internal enum WebhookOutcome
{
    /// <summary>Too many wait.</summary>
    Full,

    /// <summary>It waits now.</summary>
    TakenOn,

    /// <summary>Its URL is told of this request already.</summary>
    Known,

    /// <summary>So many of its caller wait that the caller's share is used.</summary>
    ShareUsed,
}

/// <summary>A webhook that a silo has claimed.</summary>
/// <param name="Webhook">The webhook.</param>
/// <param name="Until">The claim: until then no other silo claims it.</param>
/// <param name="Attempts">Attempts to deliver it, this one included; 0 while nothing is written.</param>
/// <param name="Payload">What it says; <see langword="null"/> until it is known that the request has ended.</param>
internal sealed record ClaimedWebhook(Webhook Webhook, long Until, int Attempts, WebhookPayload? Payload);

/// <summary>Webhooks that were due.</summary>
/// <param name="Items">The webhooks.</param>
/// <param name="Waiting">Number of webhooks that wait, these included.</param>
/// <param name="NextDue">When the next is due; <see langword="null"/> when none waits.</param>
internal sealed record WebhookClaim(IReadOnlyList<ClaimedWebhook> Items, int Waiting, DateTimeOffset? NextDue);

/// <summary>
/// Webhooks in Redis (layout: <see cref="RedisKeys"/>), from the submission of their request to their delivery. Each operation is one
/// script and so atomic. A silo claims a webhook by moving its due time, so a webhook whose claim is not ended becomes due again by itself.
/// </summary>
internal sealed class WebhookStore(IConnectionMultiplexer redis, RedisKeys keys, IOptions<WebhookOptions> options, ClusterClock time)
{
    /// <summary>Keys live a little longer than their webhook may be tried, so that giving up is noticed and counted.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    private static readonly string Callers = Script("callers");
    private static readonly string RegisterScript = Callers + Script("register");
    private static readonly string EndedScript = Callers + Script("ended");
    private static readonly string ClaimScript = Callers + Script("claim");
    private static readonly string WriteScript = Script("write");
    private static readonly string PostponeScript = Script("postpone");
    private static readonly string FinishScript = Script("finish");

    private static readonly Dictionary<string, int> NobodyHolds = [];

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Stores a webhook.</summary>
    /// <param name="webhook">The webhook.</param>
    /// <param name="due">When to look whether its request has ended, if no message says so before.</param>
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

    /// <summary>Takes webhooks that are due.</summary>
    /// <param name="most">Most of them: the places that are free.</param>
    /// <param name="lease">For how long; longer than handling one takes.</param>
    /// <param name="held">Callers that hold places, and how many; "" for a caller without a name. None of a caller that holds its share is taken.</param>
    public async Task<WebhookClaim> ClaimAsync(int most, TimeSpan lease, IReadOnlyDictionary<string, int>? held = null)
    {
        var now = time.GetUtcNow();
        var until = (now + lease).ToUnixTimeMilliseconds();
        var reply = (RedisResult[])(await Database.ScriptEvaluateAsync(
            ClaimScript,
            [keys.WebhooksDue(), keys.WebhookCallers],
            [
                now.ToUnixTimeMilliseconds(), until, most, keys.WebhookPrefix, options.Value.CallerShare,
                .. (held ?? NobodyHolds).SelectMany(static pair => (RedisValue[])[pair.Key, pair.Value]),
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

    /// <summary>Keeps what a claimed webhook says. <see langword="false"/> when another silo holds the claim.</summary>
    public async Task<bool> WriteAsync(ClaimedWebhook claimed, WebhookPayload payload, bool failed) =>
        (bool)await Database.ScriptEvaluateAsync(
            WriteScript,
            KeysOf(claimed.Webhook),
            [claimed.Webhook.Id, claimed.Until, payload.ContentType, payload.Body, failed ? 1 : 0]);

    /// <summary>Gives a claimed webhook back, to be looked at later.</summary>
    /// <param name="claimed">The webhook.</param>
    /// <param name="due">When.</param>
    /// <param name="attempted">Whether an attempt was made; else none counts.</param>
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
    /// <param name="known">How long its URL is not told of this request again; it stays free when the request failed.</param>
    public Task<bool> DeliveredAsync(Webhook webhook, TimeSpan known) => FinishAsync(webhook, "", known);

    /// <summary>A claimed webhook is given up. <see langword="false"/> when another silo holds the claim.</summary>
    public Task<bool> GiveUpAsync(ClaimedWebhook claimed) => FinishAsync(claimed.Webhook, claimed.Until, TimeSpan.Zero);

    /// <summary>Takes back a webhook whose request was not accepted.</summary>
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
