using System.Globalization;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Cluster.Tests;

/// <summary>The server that the Sentinels name is the master, whatever other servers report.</summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task Write_after_the_return_of_an_old_master_goes_to_the_new_one()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisSentinels.StartAsync(brisk: true);

        // Each process finds the master itself.
        RedisConnections[] processes = [.. Enumerable.Range(0, 3).Select(_ => new RedisConnections(redis.ConnectionString))];
        var databases = new List<IDatabase>();
        foreach (var process in processes)
        {
            databases.Add((await process.ConnectAsync()).GetDatabase());
        }

        var written = new List<string>();
        var old = await redis.MasterAsync();
        Assert.True(await TryWriteAsync());
        old.Pause();
        await redis.FailedOverAsync(old);
        await Eventually.Async(TryWriteAsync, Eventually.Soon, "all write to the new master");
        written.Clear();

        old.Resume();
        var follows = old.FollowsAsync();
        while (!follows.IsCompleted)
        {
            await TryWriteAsync();
            await Task.Delay(20);
        }

        await follows;
        await Eventually.Async(TryWriteAsync, Eventually.Soon, "all write after the old master has become a replica");
        await using var connection = await (await redis.MasterAsync()).ConnectAsync();
        var kept = (await Task.WhenAll(written.Select(key => connection.GetDatabase().KeyExistsAsync(key)))).Count(static exists => exists);
        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }

        Assert.NotEmpty(written);
        Assert.Equal(written.Count, kept);

        // Whether all of them wrote a value.
        async Task<bool> TryWriteAsync()
        {
            var all = true;
            foreach (var database in databases)
            {
                var key = string.Create(CultureInfo.InvariantCulture, $"written:{Guid.NewGuid():N}");
                try
                {
                    await database.StringSetAsync(key, "x", TimeSpan.FromMinutes(5));
                    written.Add(key);
                }
                catch (Exception e) when (RedisConnection.IsOutage(e))
                {
                    all = false;
                }
            }

            return all;
        }
    }
}
