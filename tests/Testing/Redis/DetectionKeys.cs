using StackExchange.Redis;

namespace Detection.Testing;

/// <summary>The keys of the product in Redis.</summary>
public sealed class DetectionKeys(ConnectionMultiplexer redis)
{
    // Orleans cluster membership; the silos own it.
    private const string Members = "detection:members";

    /// <summary>Waits until no request waits or runs.</summary>
    /// <exception cref="TimeoutException">Some still do after a minute.</exception>
    public Task QuietAsync() => Eventually.Async(
        async _ => !(await FindAsync("detection:{*}:*")).Any(static name =>
            name.EndsWith(":queue", StringComparison.Ordinal) || name.Contains(":inflight:", StringComparison.Ordinal) || name.Contains(":item:", StringComparison.Ordinal)),
        TimeSpan.FromSeconds(60),
        "nothing waits or runs any more");

    /// <summary>Keys without an expiry, besides the membership table.</summary>
    public async Task<IReadOnlyList<string>> ImmortalAsync()
    {
        var immortal = new List<string>();
        foreach (var key in await FindAsync("*"))
        {
            if (key != Members && await redis.GetDatabase().KeyTimeToLiveAsync(key) is null && await redis.GetDatabase().KeyExistsAsync(key))
            {
                immortal.Add(key);
            }
        }

        return immortal;
    }

    /// <summary>Names of keys, of all masters.</summary>
    /// <param name="pattern">As in <c>SCAN</c>.</param>
    // Read all names before any value: reading a key of Garnet moves it to the end of a scan.
    public async Task<IReadOnlyList<string>> FindAsync(string pattern)
    {
        var names = new List<string>();
        foreach (var server in redis.GetServers().Where(static server => server is { IsConnected: true, IsReplica: false }))
        {
            await foreach (var key in server.KeysAsync(pattern: pattern))
            {
                names.Add(key.ToString());
            }
        }

        return names;
    }
}
