using Detection.Contracts.Requests;

namespace Detection.Contracts.Storage;

/// <summary>
/// The layout of Redis. Everything lies under one prefix and either expires or has an owner that removes it.
/// Keys that one script touches together carry the model as hash tag, so that they share a slot of a Redis Cluster.
/// <code>
/// detection:{model}:queue            list    request items waiting, head first; with those of named callers bounded by the queue's capacity; expires an hour after its last use
/// detection:{model}:queue:CALLER     list    the same of a named caller
/// detection:{model}:callers          zset    callers whose lists hold items, by turns had; emptied with the lists; expires an hour after the last enqueue
/// detection:{model}:item:ITEM        string  exists while ITEM waits or runs: deadline|enqueued|traceparent[|caller], unix ms of Redis; expires two hours after the item moved, later than its list
/// detection:{model}:inflight:BATCHER list    items that a batcher has claimed; its lease protects them; expires an hour after the last claim
/// detection:{model}:answers:BATCHER  hash    what its last settles were answered, by their numbers modulo 64; expires an hour after the last
/// detection:{model}:lease:BATCHER    string  the lease; expires unless renewed
/// detection:{model}:batchers         set     batchers that may hold items; emptied by their end or by reclaiming; expires an hour after the last lease
/// detection:{model}:attempts         hash    item → how often its batcher died; expires an hour after the last
/// detection:{model}:poison:ITEM      string  exists while ITEM, given up, is refused; expires
/// detection:{model}:dead             list    items that were given up, newest first; bounded and expiring
/// detection:{model}:wake             channel published at every enqueue
/// detection:{model}:result:ITEM      string  the result (Orleans serializer); expires
/// detection:picture:IMAGEKEY         string  the encoded picture; expires
/// detection:silos                    hash    silo → report (JSON); rewritten every few seconds, expires
/// detection:history                  hash    silo → what it did during the last minutes (JSON); rewritten every few seconds, expires
/// detection:members                  hash    Orleans cluster membership; owned by the silos
/// detection:state:GRAIN              hash    state of a request that outlives its callers (Orleans grain storage); expires
/// detection:{webhooks}:due           zset    webhooks that wait, by when somebody looks at them, unix ms; bounded; expires after the last of them
/// detection:{webhooks}:due:CALLER    zset    the same of a named caller
/// detection:{webhooks}:callers       set     callers of whom webhooks wait; emptied with their sets; expires as they do
/// detection:{webhooks}:delivery:ID   hash    one of them: its terms (JSON), and once the request has ended its body and attempts; expires
/// detection:{webhooks}:known:DIGEST  string  ID: the webhook that this URL has for this request; expires
/// detection:{webhooks}:of:REQUEST    set     IDs of those that wait for the end of a request; expires
/// detection:{webhooks}:wake          channel published when a request with webhooks has ended
/// detection:{imageQueue}:…           what front ends that serve the replaced system's queue hold of it: see LegacyQueue there
/// </code>
/// ITEM is <see cref="RequestKey.Item"/>, REQUEST a <see cref="RequestKey"/>, model is <c>name@version</c>. Webhooks have a tag of their
/// own and not their model's: a delivery may outlive the silos that serve that version, and whoever delivers looks at one set.
/// </summary>
public static class RedisKeys
{
    /// <summary>Prefix of all keys.</summary>
    public const string Prefix = "detection:";

    /// <summary>Reports of the silos.</summary>
    public const string Silos = Prefix + "silos";

    /// <summary>What the silos did during the last minutes.</summary>
    public const string History = Prefix + "history";

    /// <summary>Cluster membership.</summary>
    public const string Members = Prefix + "members";

    /// <summary>State of a grain.</summary>
    public static string State(string grain) => $"{Prefix}state:{grain}";

    /// <summary>An encoded picture.</summary>
    public static string Picture(string imageKey) => $"{Prefix}picture:{imageKey}";

    /// <summary>A cached result.</summary>
    public static string Result(in RequestKey key) => $"{Model(key.Model)}:result:{key.Item}";

    /// <summary>The mark of an item that waits or runs.</summary>
    public static string Item(in RequestKey key) => ItemPrefix(key.Model) + key.Item;

    /// <summary>What the marks of a model's items begin with.</summary>
    public static string ItemPrefix(string model) => $"{Model(model)}:item:";

    /// <summary>Exists while an item that was given up is refused.</summary>
    public static string Poison(in RequestKey key) => PoisonPrefix(key.Model) + key.Item;

    /// <summary>What the keys that refuse a model's items begin with.</summary>
    public static string PoisonPrefix(string model) => $"{Model(model)}:poison:";

    /// <summary>The queue of a model: the list of items of nobody in particular.</summary>
    public static string Queue(string model) => $"{Model(model)}:queue";

    /// <summary>The list of a named caller's items. The scripts of the queue write it themselves.</summary>
    public static string Queue(string model, string caller) => $"{Queue(model)}:{caller}";

    /// <summary>The callers whose lists hold items.</summary>
    public static string Callers(string model) => $"{Model(model)}:callers";

    /// <summary>What a batcher has claimed.</summary>
    public static string InFlight(string model, string batcher) => $"{Model(model)}:inflight:{batcher}";

    /// <summary>What the last settles of a batcher were answered.</summary>
    public static string Answers(string model, string batcher) => $"{Model(model)}:answers:{batcher}";

    /// <summary>The lease of a batcher.</summary>
    public static string Lease(string model, string batcher) => $"{Model(model)}:lease:{batcher}";

    /// <summary>All batchers of a model that may hold items.</summary>
    public static string Batchers(string model) => $"{Model(model)}:batchers";

    /// <summary>How often the batcher of an item died.</summary>
    public static string Attempts(string model) => $"{Model(model)}:attempts";

    /// <summary>Items that were given up.</summary>
    public static string Dead(string model) => $"{Model(model)}:dead";

    /// <summary>The wake-up channel of a model's batchers.</summary>
    public static string Wake(string model) => $"{Model(model)}:wake";

    /// <summary>Webhooks of a caller that wait, by when somebody looks at them; without a name those of nobody in particular.</summary>
    public static string WebhooksDue(string? caller = null) => caller is null ? Webhooks + ":due" : $"{Webhooks}:due:{caller}";

    /// <summary>Callers of whom webhooks wait.</summary>
    public const string WebhookCallers = Webhooks + ":callers";

    /// <summary>The wake-up channel of whoever delivers webhooks.</summary>
    public const string WebhooksWake = Webhooks + ":wake";

    /// <summary>What the keys of webhooks begin with, before their ids.</summary>
    public const string WebhookPrefix = Webhooks + ":delivery:";

    private const string Webhooks = Prefix + "{webhooks}";

    /// <summary>A webhook that waits.</summary>
    public static string Webhook(string id) => WebhookPrefix + id;

    /// <summary>The webhook that a URL has for a request.</summary>
    public static string WebhookKnown(string digest) => $"{Webhooks}:known:{digest}";

    /// <summary>The webhooks that wait for the end of a request.</summary>
    public static string WebhooksOf(in RequestKey key) => $"{Webhooks}:of:{key}";

    private static string Model(string model) => $"{Prefix}{{{model}}}";
}
