using System.Collections.Concurrent;
using Detection.Testing;
using StackExchange.Redis;

namespace Detection.Chaos;

/// <summary>Watches Redis during a scenario and looks through it at the end.</summary>
internal sealed class Audit : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, int> _published = new(StringComparer.Ordinal);
    private readonly List<string> _timeline = [];
    private readonly CancellationTokenSource _ended = new();
    private readonly ConnectionMultiplexer _redis;

    private Audit(ConnectionMultiplexer redis) => _redis = redis;

    public static async Task<Audit> StartAsync(RedisServer server)
    {
        var options = ConfigurationOptions.Parse(server.ConnectionString);
        options.AllowAdmin = true;
        options.AbortOnConnectFail = false;
        var audit = new Audit(await ConnectionMultiplexer.ConnectAsync(options));
        await audit._redis.GetServers()[0].ConfigSetAsync("notify-keyspace-events", "K$");
        var sets = await audit._redis.GetSubscriber().SubscribeAsync(RedisChannel.Pattern("__keyspace@0__:detection:{*}:result:*"));
        sets.OnMessage(message =>
        {
            if (message.Message == "set")
            {
                audit._published.AddOrUpdate(((string)message.Channel!).Split(":result:")[1], 1, (_, count) => count + 1);
            }
        });
        _ = audit.SampleAsync();
        return audit;
    }

    /// <summary>What waited and ran, second by second.</summary>
    public IReadOnlyList<string> Timeline => _timeline;

    /// <summary>Results that were published more than once, and keys of <paramref name="answered"/> that were not published.</summary>
    public (int Twice, int Never) Published(IEnumerable<string> answered) =>
        (_published.Values.Count(count => count > 1), answered.Count(key => !_published.ContainsKey(key)));

    /// <summary>What is left in Redis.</summary>
    public DetectionKeys Keys => new(_redis);

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
                long waiting = 0, running = 0;
                await foreach (var key in Server().KeysAsync(pattern: "detection:{*}:*"))
                {
                    var name = key.ToString();
                    if (name.EndsWith(":queue", StringComparison.Ordinal))
                    {
                        waiting += await _redis.GetDatabase().ListLengthAsync(key);
                    }
                    else if (name.Contains(":inflight:", StringComparison.Ordinal))
                    {
                        running += await _redis.GetDatabase().ListLengthAsync(key);
                    }
                }

                _timeline.Add($"{second} s: {waiting} wait, {running} run, {_published.Count} published");
            }
            catch (Exception e) when (e is RedisException or RedisTimeoutException or OperationCanceledException)
            {
                _timeline.Add($"{second} s: Redis is away");
            }
        }
    }

    private IServer Server() => _redis.GetServers()[0];
}
