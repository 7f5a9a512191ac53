using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Queueing;

/// <summary>The operations of requests and of batchers, in one process.</summary>
public sealed class TestQueue
{
    public TestQueue(IConnectionMultiplexer redis, RedisKeys keys, QueueOptions options, TimeProvider? time = null)
    {
        var clock = new ClusterClock(time ?? TimeProvider.System);
        Requests = new RequestQueue(redis, keys, Microsoft.Extensions.Options.Options.Create(options), clock);
        Batchers = new BatcherQueue(redis, keys, Microsoft.Extensions.Options.Options.Create(options), clock);
    }

    public RequestQueue Requests { get; }

    public BatcherQueue Batchers { get; }
}
