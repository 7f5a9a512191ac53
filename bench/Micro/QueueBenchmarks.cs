using BenchmarkDotNet.Attributes;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Testing;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Bench.Micro;

/// <summary>The queue's scripts with a Redis on this machine: redis-server when it is installed, otherwise Garnet.</summary>
public class QueueBenchmarks
{
    private const string Model = "bench@000000000000";
    private const string Batcher = "bench";
    private static readonly TimeSpan Expiry = TimeSpan.FromMinutes(1);

    private readonly byte[] _result = new byte[200];
    private RedisServer _server = null!;
    private ConnectionMultiplexer _redis = null!;
    private RequestQueue _requests = null!;
    private BatcherQueue _batchers = null!;
    private long _next;

    /// <summary>Pictures in a batch.</summary>
    [Params(1, 32)]
    public int Batch { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _server = await RedisServer.StartAsync();
        _redis = await _server.ConnectAsync();
        var options = new QueueOptions { Capacity = 1_000_000, Lease = TimeSpan.FromMinutes(10) };
        _requests = new RequestQueue(_redis, new(), Options.Create(options), new ClusterClock(TimeProvider.System));
        _batchers = new BatcherQueue(_redis, new(), Options.Create(options), new ClusterClock(TimeProvider.System));
        await _batchers.TakeLeaseAsync(Model, Batcher);
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        await _redis.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>The shortest round trip, for comparison.</summary>
    [Benchmark(Baseline = true)]
    public Task<TimeSpan> Ping() => _redis.GetDatabase().PingAsync();

    /// <summary>A batch is enqueued by the same number of concurrent callers, claimed by one batcher, and settled with results.</summary>
    [Benchmark]
    public async Task<int> EnqueueClaimSettle()
    {
        var now = DateTimeOffset.UtcNow;
        var puts = new Task[Batch];
        for (var i = 0; i < Batch; i++)
        {
            puts[i] = _requests.EnqueueAsync(new QueuedItem(new RequestKey(Model, $"{_next++:x64}"), now + Expiry, now), int.MaxValue);
        }

        await Task.WhenAll(puts);
        var claim = await _batchers.ClaimAsync(Model, Batcher, Batch);
        var settled = await _batchers.SettleAsync(Model, Batcher, [.. claim.Items.Select(item => new Settlement(item.Key, _result))], Expiry);
        return settled.Length;
    }
}
