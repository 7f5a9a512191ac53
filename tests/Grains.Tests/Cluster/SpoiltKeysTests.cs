using Detection.Client;
using Detection.Grains.Tests.Requests;
using Detection.Objects;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Cluster;

/// <summary>Keys of the cluster that another program overwrote: they are repaired, no silo ends, and requests continue.</summary>
public sealed class SpoiltKeysTests : RequestTest
{
    private const string Version = "Version";

    [Fact]
    public async Task Invalid_membership_version_is_repaired()
    {
        RedisServer.SkipUnlessInstalled();
        await using var silo = await StartSiloAsync();
        Device.Open();
        Assert.Null(await TryAsync(Next(), asynchronous: false));
        foreach (var value in new[] { "garbage", "99999999999", "", null, "garbage" })
        {
            var before = (long)await Database.HashGetAsync(Keys.Members, Version);

            // The guard has noticed this value.
            await Task.Delay(TimeSpan.FromSeconds(1.2));
            await (value is null ? Database.HashDeleteAsync(Keys.Members, Version) : Database.HashSetAsync(Keys.Members, Version, value));

            Assert.Null(await TryAsync(Next(), asynchronous: false));
            await Eventually.Async(
                async () => int.TryParse((string?)await Database.HashGetAsync(Keys.Members, Version), out var version) && version > before,
                Eventually.Soon,
                "the version is a number again, above the one before");
            Assert.Null(await TryAsync(Next(), asynchronous: true));
        }

        // A silo that joins now writes the table.
        await using var other = await StartSiloWithoutDeviceAsync();
        await Eventually.Async(async () => (await Reports.GetSilosAsync(default)).Count == 2, Eventually.Soon, "another silo has joined");
        Assert.Null(await TryAsync(Next(), asynchronous: false));
    }

    [Fact]
    public async Task Board_of_a_wrong_type_is_rewritten_without_failed_requests()
    {
        RedisServer.SkipUnlessInstalled();
        await using var silo = await StartSiloAsync();
        Device.Open();
        Assert.Null(await TryAsync(Next(), asynchronous: false));
        foreach (var (board, spoil) in new (string, Func<string, Task>)[]
        {
            (Keys.Silos, board => Database.StringSetAsync(board, "x")),
            (Keys.History, board => Database.ListLeftPushAsync(board, "x")),
            (Keys.Silos, board => Database.SetAddAsync(board, "x")),
        })
        {
            await Task.WhenAll(Database.KeyDeleteAsync(board), spoil(board));

            Assert.Null(await TryAsync(Next(), asynchronous: false));
            Assert.Null(await TryAsync(Next(), asynchronous: true));
            await Eventually.Async(
                async () => await Database.KeyTypeAsync(board) == RedisType.Hash, Eventually.Soon, "the silo has written the board anew");
            Assert.Null(await TryAsync(Next(), asynchronous: false));
            Assert.InRange((await Database.KeyTimeToLiveAsync(board))!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        }

        Assert.Single(await Reports.GetSilosAsync(default));
        Assert.Single(await Reports.GetHistoriesAsync(default));
    }

    [Fact]
    public async Task Error_of_Redis_is_not_reported_as_an_outage()
    {
        Assert.Empty(await Reports.GetSilosAsync(default));
        await Database.StringSetAsync(Keys.Silos, "x");

        var failure = await Assert.ThrowsAsync<DetectionException>(() => Reports.GetSilosAsync(default));

        Assert.Equal(FailureReason.Unavailable, failure.Reason);
        Assert.Equal("The cluster's Redis answers with an error (WRONGTYPE).", failure.Message);
        await Database.KeyDeleteAsync(Keys.Silos);
        Assert.Empty(await Reports.GetSilosAsync(default));
    }

    [Fact]
    public async Task Master_that_refuses_writes_without_replicas_is_a_temporary_outage()
    {
        RedisServer.SkipUnlessInstalled();
        await using var silo = await StartSiloAsync(("Detection:Queue:Lease", "00:00:02"), ("Detection:Batching:MaxBatch", "1"));
        var running = await OccupyAsync();
        var waiting = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Client.SubmitAsync(Next(), Patient)));
        await Server.ConfigSetAsync("min-replicas-to-write", "1");

        Assert.Equal(FailureReason.Unavailable, await TryAsync(Next(), asynchronous: true));

        // Longer than the lease, and the device ends its batch meanwhile.
        Device.Open();
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.Equal(FailureReason.Unavailable, await TryAsync(Next(), asynchronous: true));
        await Server.ConfigSetAsync("min-replicas-to-write", "0");

        foreach (var ticket in waiting.Append(running))
        {
            await DoneAsync(ticket.ImageKey);
        }

        Assert.Null(await TryAsync(Next(), asynchronous: false));
        Assert.Null(await TryAsync(Next(), asynchronous: true));
    }
}
