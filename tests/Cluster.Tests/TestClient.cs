using Detection.Client;
using Detection.Contracts.Cluster;
using Detection.Contracts.Security;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Cluster.Tests;

/// <summary>The client library in an application, connected to the Redis of a test.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public TestClient(RedisServer redis)
        : this(redis.ConnectionString)
    {
    }

    public TestClient(string redis, string? cluster = null, string secret = "")
    {
        _services = new ServiceCollection()
            .Configure<ClusterSecurityOptions>(options => options.Secret = secret)
            .AddDetectionClient(options =>
            {
                options.Redis = redis;
                options.ClusterId = cluster ?? options.ClusterId;
            }).BuildServiceProvider();
        Detection = _services.GetRequiredService<IDetectionClient>();
        Reports = _services.GetRequiredService<IClusterReports>();
    }

    public IDetectionClient Detection { get; }

    public IClusterReports Reports { get; }

    /// <summary>What the batchers of the cluster did, all together.</summary>
    public async Task<IReadOnlyList<BatcherReport>> BatchersAsync() =>
        [.. (await Reports.GetSilosAsync()).SelectMany(silo => silo.Batchers)];

    public async Task<long> CompletedAsync() => (await BatchersAsync()).Sum(batcher => batcher.Completed);

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
