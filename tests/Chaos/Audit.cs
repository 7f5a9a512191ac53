using System.Text;
using System.Text.RegularExpressions;
using Detection.Testing;
using StackExchange.Redis;

namespace Detection.Chaos;

/// <summary>Observes Redis during a scenario and checks its data at the end.</summary>
internal sealed partial class Audit : IAsyncDisposable
{
    private readonly List<string> _timeline = [];
    private readonly CancellationTokenSource _ended = new();
    private readonly IRedisDeployment _deployment;
    private readonly ConnectionMultiplexer _redis;

    private Audit(IRedisDeployment deployment, ConnectionMultiplexer redis) => (_deployment, _redis) = (deployment, redis);

    public static async Task<Audit> StartAsync(IRedisDeployment deployment)
    {
        var options = ConfigurationOptions.Parse(deployment.ConnectionString);
        options.AllowAdmin = true;
        options.AbortOnConnectFail = false;
        var audit = new Audit(deployment, await ConnectionMultiplexer.ConnectAsync(options));
        _ = audit.SampleAsync();
        return audit;
    }

    /// <summary>The numbers of waiting and running pictures, every second.</summary>
    public IReadOnlyList<string> Timeline => _timeline;

    /// <summary>The keys that are left in Redis.</summary>
    public DetectionKeys Keys => new(_redis);

    /// <summary>
    /// Number of times that each result was published, by image key. It is read from the append-only files, which have every write since Redis
    /// started or lost its data. The file of a replica repeats the writes of its master, so the highest number of
    /// all servers counts.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, int>> PublishedAsync()
    {
        var published = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var server in _deployment.Servers)
        {
            var file = Encoding.Latin1.GetString(await server.ReadAppendOnlyFileAsync());
            foreach (var (key, count) in Published().Matches(file).CountBy(match => match.Groups["key"].Value))
            {
                published[key] = Math.Max(count, published.GetValueOrDefault(key));
            }
        }

        return published;
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _redis.DisposeAsync();
    }

    private async Task SampleAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var second = 1; !_ended.IsCancellationRequested; second++)
        {
            try
            {
                await timer.WaitForNextTickAsync(_ended.Token);
                long waiting = 0, running = 0, done = 0;
                foreach (var key in await Keys.FindAsync("detection:{*}:*"))
                {
                    if (key.EndsWith(":queue", StringComparison.Ordinal))
                    {
                        waiting += await _redis.GetDatabase().ListLengthAsync(key);
                    }
                    else if (key.Contains(":inflight:", StringComparison.Ordinal))
                    {
                        running += await _redis.GetDatabase().ListLengthAsync(key);
                    }
                    else if (key.Contains(":result:", StringComparison.Ordinal))
                    {
                        done++;
                    }
                }

                _timeline.Add($"{second} s: {waiting} wait, {running} run, {done} done");
            }
            catch (Exception e) when (e is RedisException or RedisTimeoutException or OperationCanceledException)
            {
                _timeline.Add($"{second} s: Redis is away");
            }
        }
    }

    [GeneratedRegex(@"\r\nSET\r\n\$\d+\r\ndetection:\{[^}]+\}:result:(?<key>[0-9a-f]{64})\r\n", RegexOptions.IgnoreCase)]
    private static partial Regex Published();
}
