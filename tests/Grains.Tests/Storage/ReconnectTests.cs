using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Grains.Tests.Queueing;
using StackExchange.Redis;
using static Detection.Grains.Tests.Queueing.QueueFixture;

namespace Detection.Grains.Tests.Storage;

/// <summary>
/// Wake-ups and commands after the connection was lost: several times within seconds (celery #8030), and to a master that another one has
/// followed (bullmq #3088: the queue grew, the worker said that it ran and did nothing).
/// </summary>
public sealed class ReconnectTests
{
    private const string Model = "test@0";
    private static readonly RedisKeys Keys = new();

    [Fact]
    public async Task Wake_ups_arrive_after_several_lost_connections()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new RedisProxy(redis);
        await using var connections = new RedisConnections(proxy.ConnectionString);
        var queue = Queue(await connections.ConnectAsync());
        var woken = 0;
        await using var subscription = await queue.Batchers.SubscribeAsync(Model, () => Interlocked.Increment(ref woken));
        await WokenAsync(queue, () => Volatile.Read(ref woken), 0);

        for (var i = 0; i < 4; i++)
        {
            proxy.Cut();
            await Task.Delay(TimeSpan.FromMilliseconds(200 * i));
        }

        await WokenAsync(queue, () => Volatile.Read(ref woken), 100);
    }

    [Fact]
    public async Task Wake_ups_arrive_from_the_new_master_even_if_the_process_started_before_the_Sentinels()
    {
        RedisServer.SkipUnlessInstalled();
        await using var deployment = await RedisSentinels.StartAsync();
        await using var connections = new RedisConnections(deployment.ConnectionString);
        var queue = Queue(await connections.ConnectAsync());
        var woken = 0;
        await using var subscription = await queue.Batchers.SubscribeAsync(Model, () => Interlocked.Increment(ref woken));
        await WokenAsync(queue, () => Volatile.Read(ref woken), 0);

        var master = await deployment.MasterAsync();
        await master.KillAsync();
        await deployment.FailedOverAsync(master);
        await WokenAsync(queue, () => Volatile.Read(ref woken), 100);

        // As a process that starts while no Sentinel answers.
        await deployment.StopSentinelsAsync();
        await using var early = new RedisConnections(deployment.ConnectionString);
        await Assert.ThrowsAnyAsync<Exception>(async () => await (await early.ConnectAsync()).GetDatabase().PingAsync());
        deployment.StartSentinelsAgain();
        await Eventually.Async(
            async () =>
            {
                await (await early.ConnectAsync()).GetDatabase().StringSetAsync("detection:found", "1", TimeSpan.FromMinutes(1));
                return true;
            },
            TimeSpan.FromSeconds(60),
            "it has found the master");
    }

    private static TestQueue Queue(IConnectionMultiplexer redis) =>
        new(redis, Keys, new QueueOptions());

    /// <summary>Enqueues until a wake-up arrives.</summary>
    private static Task WokenAsync(TestQueue queue, Func<int> woken, int first)
    {
        var before = woken();
        var next = first;
        return Eventually.Async(
            async () =>
            {
                await queue.Requests.EnqueueAsync(Item(Model, next++), int.MaxValue);
                return woken() > before;
            },
            TimeSpan.FromSeconds(60),
            "who is subscribed is woken");
    }
}
