using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using StackExchange.Redis;
using static Detection.Grains.Tests.Queueing.QueueFixture;

namespace Detection.Grains.Tests.Queueing;

/// <summary>
/// A Redis without memory refuses a script whose first write may need memory. Accepted requests must still be completed. So each script except that
/// of enqueueing starts with a write that needs no memory.
/// </summary>
public sealed class FullRedisTests
{
    private const string Model = "test@0";
    private static readonly RedisKeys Keys = new();

    [Fact]
    public async Task Accepted_requests_are_done_and_new_ones_refused_while_Redis_is_full()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        var queue = new TestQueue(connection, Keys, new QueueOptions { Lease = TimeSpan.FromMinutes(5) });
        for (var i = 1; i <= 6; i++)
        {
            await queue.Requests.EnqueueAsync(Item(Model, i, caller: i % 2 == 0 ? "alice" : null), int.MaxValue);
        }

        foreach (var batcher in new[] { "a", "b", "c" })
        {
            await queue.Batchers.TakeLeaseAsync(Model, batcher);
            Assert.Single((await queue.Batchers.ClaimAsync(Model, batcher, 1)).Items);
        }

        await connection.GetServers()[0].ConfigSetAsync("maxmemory", "1");

        var refused = await Assert.ThrowsAnyAsync<RedisException>(() => queue.Requests.EnqueueAsync(Item(Model, 9), int.MaxValue));
        Assert.True(RedisConnection.IsFull(refused), refused.Message);
        await queue.Batchers.TakeLeaseAsync(Model, "d");
        Assert.True(await queue.Batchers.RenewLeaseAsync(Model, "a"));
        Assert.True(await queue.Requests.ExtendAsync(Key(Model, 1), TimeSpan.FromMinutes(10)));
        await queue.Batchers.ChargeAsync(Model, new Dictionary<string, int> { ["alice"] = 3, [""] = 2 });
        await connection.GetDatabase().KeyDeleteAsync(Keys.Lease(Model, "b"));
        Assert.Equal(1, (await queue.Batchers.ReclaimAsync(Model, "b")).Returned);
        Assert.Equal(1, await queue.Batchers.ReleaseAsync(Model, "c"));

        var claimed = (await queue.Batchers.ClaimAsync(Model, "d", 32)).Items;
        Assert.Equal(5, claimed.Count);
        Assert.Equal([ReturnOutcome.Returned], await queue.Batchers.ReturnAsync(Model, "d", "device", false, [claimed[^1].Key]));
        Assert.Equal(
            [SettleOutcome.Settled, SettleOutcome.Settled, SettleOutcome.Settled, SettleOutcome.Settled],
            await queue.Batchers.SettleAsync(Model, "d", [.. claimed.Take(4).Select(item => new Settlement(item.Key, new byte[] { 1 }))], TimeSpan.FromMinutes(1)));
        Assert.Single(await queue.Requests.AbandonAsync(Model, 10));

        await connection.GetServers()[0].ConfigSetAsync("maxmemory", "0");
        Assert.Equal(EnqueueOutcome.Queued, (await queue.Requests.EnqueueAsync(Item(Model, 9), int.MaxValue)).Outcome);
    }
}
