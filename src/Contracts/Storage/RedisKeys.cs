using Detection.Contracts.Requests;

namespace Detection.Contracts.Storage;

/// <summary>
/// The layout of Redis of one cluster. Every key and every channel begins with the cluster's id and a colon, <c>detection:</c> by default,
/// so that clusters share a Redis; everything either expires or has an owner that removes it. Keys that one script touches together carry the model as hash tag, so that they share a slot of a Redis Cluster.
/// <code>
/// detection:{model}:queue            list    waiting items, head first; bounded, with the items of named callers, by the queue's capacity; expires an hour after its last use
/// detection:{model}:queue:CALLER     list    the same of a named caller
/// detection:{model}:callers          zset    callers with queued items, by the turns that they had; emptied with the lists; expires an hour after the last enqueue
/// detection:{model}:callers:CALLER   string  turns that a caller without queued items still owes for expensive pictures; expires after a minute
/// detection:{model}:item:ITEM        string  the mark: exists while ITEM waits or is processed: deadline|enqueued|traceparent[|caller], unix ms of Redis; expires two hours after the item moved, later than its list
/// detection:{model}:inflight:BATCHER list    items that a batcher has claimed; its lease protects them; expires an hour after the last claim
/// detection:{model}:answers:BATCHER  hash    answers to its last settles, by their numbers modulo 64; expires an hour after the last
/// detection:{model}:lease:BATCHER    string  the lease; expires unless renewed
/// detection:{model}:batchers         set     batchers that may have claimed items; a batcher is removed when it ends or is reclaimed; expires an hour after the last lease
/// detection:{model}:attempts         hash    item → number of failed attempts, and on:ITEM → the devices on which it failed; expires an hour after the last
/// detection:{model}:poison:ITEM      string  exists while new requests for the dead-lettered ITEM are refused; expires
/// detection:{model}:dead             list    dead letters, newest first; bounded; expires
/// detection:{model}:wake             channel published at every enqueue
/// detection:{model}:result:ITEM      string  the result (Orleans serializer); expires
/// detection:picture:IMAGEKEY         string  the encoded picture; expires after 30 s, once a request with it is accepted after minutes
/// detection:dead-pictures            zset    image keys of the pictures of dead letters that are kept for administrators, by when they expire, unix ms; bounded; expires with the last of them
/// detection:silos                    hash    silo → report (JSON); rewritten every few seconds, expires
/// detection:history                  hash    silo → what it did during the last minutes (JSON); rewritten every few seconds, expires
/// detection:security                 string  mark of the silos' security settings (ClusterMark); rewritten every few seconds, expires
/// detection:image-keys               string  a proof of the silos' secret of image keys (ImageKeys.MarkOf); rewritten every few seconds, expires
/// detection:models                   hash    model → its description and who served it last (JSON); rewritten every few seconds; of those that are gone the 20 last served; expires a day after the last silo
/// detection:wanted                   hash    name → a model that an administrator wants in the cluster (JSON); removed with DELETE; expires a month after the last silo
/// detection:wanted-pins              hash    id of such a record → what the first silo found at its source (JSON); removed with the record; expires with it
/// detection:members                  hash    Orleans cluster membership; owned by the silos
/// detection:state:GRAIN              hash    state of a request that outlives its callers (Orleans grain storage); expires
/// detection:{webhooks}:due           zset    pending webhooks, by the time when they are due, unix ms; bounded; expires after the last of them
/// detection:{webhooks}:due:CALLER    zset    the same of a named caller
/// detection:{webhooks}:callers       set     callers with pending webhooks; emptied with their sets; expires as they do
/// detection:{webhooks}:delivery:ID   hash    a pending webhook: its terms (JSON), and once the request has ended its body and attempts; expires
/// detection:{webhooks}:known:DIGEST  string  ID: the webhook of this URL for this request; expires
/// detection:{webhooks}:of:REQUEST    set     IDs of the webhooks of a request; expires
/// detection:{webhooks}:wake          channel published when a request with webhooks has ended
/// detection:{imageQueue}:…           what front ends store about the Redis list of a replaced system: see LegacyQueue there
/// </code>
/// ITEM is <see cref="RequestKey.Item"/>, REQUEST a <see cref="RequestKey"/>, model is <c>name@version</c>. Webhooks have a tag of their
/// own and not their model's: a delivery may outlive the silos that serve that version, and a deliverer reads one set.
/// </summary>
public sealed class RedisKeys
{
    private readonly string _webhooks;

    /// <param name="clusterId">The cluster's id, see <see cref="Storage.ClusterId"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="clusterId"/> is not a valid id.</exception>
    public RedisKeys(string clusterId = Storage.ClusterId.Default)
    {
        if (!Storage.ClusterId.IsValid(clusterId))
        {
            throw new ArgumentException($"'{clusterId}' is not a cluster id. {Storage.ClusterId.Rule}", nameof(clusterId));
        }

        ClusterId = clusterId;
        Prefix = clusterId + ":";
        DeadPictures = Prefix + "dead-pictures";
        Silos = Prefix + "silos";
        History = Prefix + "history";
        Security = Prefix + "security";
        ImageKeys = Prefix + "image-keys";
        Models = Prefix + "models";
        Wanted = Prefix + "wanted";
        WantedPins = Prefix + "wanted-pins";
        Members = Prefix + "members";
        _webhooks = Prefix + "{webhooks}";
        WebhookCallers = _webhooks + ":callers";
        WebhooksWake = _webhooks + ":wake";
        WebhookPrefix = _webhooks + ":delivery:";
    }

    /// <summary>The cluster whose keys these are.</summary>
    public string ClusterId { get; }

    /// <summary>Prefix of all keys and channels of the cluster.</summary>
    public string Prefix { get; }

    /// <summary>Pictures of dead letters that are kept for administrators.</summary>
    public string DeadPictures { get; }

    /// <summary>Reports of the silos.</summary>
    public string Silos { get; }

    /// <summary>What the silos did during the last minutes.</summary>
    public string History { get; }

    /// <summary>Mark of the silos' security settings.</summary>
    public string Security { get; }

    /// <summary>A proof of the secret with which the silos make image keys.</summary>
    public string ImageKeys { get; }

    /// <summary>Versions of models that are or were served.</summary>
    public string Models { get; }

    /// <summary>Models that administrators want in the cluster.</summary>
    public string Wanted { get; }

    /// <summary>What silos found at the sources of these.</summary>
    public string WantedPins { get; }

    /// <summary>Cluster membership.</summary>
    public string Members { get; }

    /// <summary>State of a grain.</summary>
    public string State(string grain) => $"{Prefix}state:{grain}";

    /// <summary>An encoded picture.</summary>
    public string Picture(string imageKey) => $"{Prefix}picture:{imageKey}";

    /// <summary>A cached result.</summary>
    public string Result(in RequestKey key) => $"{Model(key.Model)}:result:{key.Item}";

    /// <summary>The mark of an item that waits or is processed.</summary>
    public string Item(in RequestKey key) => ItemPrefix(key.Model) + key.Item;

    /// <summary>Prefix of the marks of a model's items.</summary>
    public string ItemPrefix(string model) => $"{Model(model)}:item:";

    /// <summary>Exists while new requests for a dead-lettered item are refused.</summary>
    public string Poison(in RequestKey key) => PoisonPrefix(key.Model) + key.Item;

    /// <summary>Prefix of the keys that refuse a model's items.</summary>
    public string PoisonPrefix(string model) => $"{Model(model)}:poison:";

    /// <summary>The queue of a model: the list of items of callers without a name.</summary>
    public string Queue(string model) => $"{Model(model)}:queue";

    /// <summary>The list of a named caller's items. The scripts of the queue write it themselves.</summary>
    public string Queue(string model, string caller) => $"{Queue(model)}:{caller}";

    /// <summary>The callers whose lists hold items.</summary>
    public string Callers(string model) => $"{Model(model)}:callers";

    /// <summary>The items that a batcher has claimed.</summary>
    public string InFlight(string model, string batcher) => $"{Model(model)}:inflight:{batcher}";

    /// <summary>The answers to the last settles of a batcher.</summary>
    public string Answers(string model, string batcher) => $"{Model(model)}:answers:{batcher}";

    /// <summary>The lease of a batcher.</summary>
    public string Lease(string model, string batcher) => $"{Model(model)}:lease:{batcher}";

    /// <summary>All batchers of a model that may have claimed items.</summary>
    public string Batchers(string model) => $"{Model(model)}:batchers";

    /// <summary>How often the lease of an item's batcher expired.</summary>
    public string Attempts(string model) => $"{Model(model)}:attempts";

    /// <summary>Dead-lettered items.</summary>
    public string Dead(string model) => $"{Model(model)}:dead";

    /// <summary>The wake-up channel of a model's batchers.</summary>
    public string Wake(string model) => $"{Model(model)}:wake";

    /// <summary>Pending webhooks of a caller, by the time when they are due; without a name, those of callers without a name.</summary>
    public string WebhooksDue(string? caller = null) => caller is null ? _webhooks + ":due" : $"{_webhooks}:due:{caller}";

    /// <summary>Callers with pending webhooks.</summary>
    public string WebhookCallers { get; }

    /// <summary>The wake-up channel of the deliverers of webhooks.</summary>
    public string WebhooksWake { get; }

    /// <summary>Prefix of the keys of webhooks, before their ids.</summary>
    public string WebhookPrefix { get; }

    /// <summary>A pending webhook.</summary>
    public string Webhook(string id) => WebhookPrefix + id;

    /// <summary>The webhook of a URL for a request.</summary>
    public string WebhookKnown(string digest) => $"{_webhooks}:known:{digest}";

    /// <summary>The webhooks that wait for the end of a request.</summary>
    public string WebhooksOf(in RequestKey key) => $"{_webhooks}:of:{key}";

    /// <summary>What front ends store about the Redis list of a replaced system. The list's name as hash tag puts all of it in the list's slot.</summary>
    public string Legacy(string queue, string part) => $"{Prefix}{{{queue}}}:{part}";

    /// <summary>Whether a key belongs to the cluster.</summary>
    public bool IsOurs(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.StartsWith(Prefix, StringComparison.Ordinal);
    }

    /// <summary>Whether a key is that of a cached result.</summary>
    public bool IsResult(string key) => IsOurs(key) && key.Contains("}:result:", StringComparison.Ordinal);

    private string Model(string model) => $"{Prefix}{{{model}}}";
}
