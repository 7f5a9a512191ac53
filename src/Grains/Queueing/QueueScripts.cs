using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Grains.Queueing;

/// <summary>The scripts of the queue, and what requests and batchers need to run them.</summary>
internal static class QueueScripts
{
    /// <summary>How long a caller owes turns for expensive pictures.</summary>
    public static readonly TimeSpan DebtExpiry = TimeSpan.FromMinutes(1);

    public static readonly string Enqueue = Lists() + Script("enqueue");
    public static readonly string Charge = Lists() + Script("charge");
    public static readonly string Extend = Marks() + Script("extend");
    public static readonly string Claim = Lists() + Script("claim");
    public static readonly string Look = Lists() + Script("look");
    public static readonly string Settle = Lists() + Script("settle");
    public static readonly string Reclaim = Lists() + Script("reclaim");
    public static readonly string Defer = Lists() + Script("defer");
    public static readonly string Return = Lists() + Script("return");
    public static readonly string Release = Lists() + Script("release");
    public static readonly string Withdraw = Lists() + Script("withdraw");
    public static readonly string Abandon = Lists() + Script("abandon");
    public static readonly string Lease = Script("lease");

    public static List<RequestKey> Parse(string model, IEnumerable<RedisResult> items)
    {
        var parsed = new List<RequestKey>();
        foreach (var item in items)
        {
            if (RequestKey.TryParseItem(model, (string)item!, out var key))
            {
                parsed.Add(key);
            }
        }

        return parsed;
    }

    public static long Milliseconds(TimeSpan span) => Math.Max(1, (long)span.TotalMilliseconds);

    private static string Marks() => Script("clock") + Script("marks");

    private static string Lists() => Marks() + Script("callers");

    private static string Script(string name) => EmbeddedScript.Read(typeof(QueueScripts), name);
}
