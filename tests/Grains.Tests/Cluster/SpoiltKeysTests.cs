using Detection.Client;
using Detection.Grains.Tests.Requests;
using Detection.Objects;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Cluster;

/// <summary>Keys of the cluster that somebody overwrote: they are put right, no silo ends, and requests go on.</summary>
public sealed class SpoiltKeysTests : RequestTest
{
    private const string Version = "Version";

    [Fact]
    public async Task A_version_of_the_membership_that_is_no_number_is_put_back()
    {
        RedisServer.SkipUnlessInstalled();
        await using var silo = await StartSiloAsync();
        Device.Open();
        Assert.Null(await TryAsync(Next(), asynchronous: false));
        foreach (var value in new[] { "garbage", "99999999999", "", null, "garbage" })
        {
            var before = (long)await Database.HashGetAsync(Keys.Members, Version);

            // The guard has seen this one.
            await Task.Delay(TimeSpan.FromSeconds(1.2));
            await (value is null ? Database.HashDeleteAsync(Keys.Members, Version) : Database.HashSetAsync(Keys.Members, Version, value));

            Assert.Null(await TryAsync(Next(), asynchronous: false));
            await Eventually.Async(
                async () => int.TryParse((string?)await Database.HashGetAsync(Keys.Members, Version), out var version) && version > before,
                Eventually.Soon,
                "the version is a number again, above the one before");
            Assert.Null(await TryAsync(Next(), asynchronous: true));
        }

        // Who joins now writes the table.
        await using var other = await StartSiloWithoutDeviceAsync();
        await Eventually.Async(async () => (await Reports.GetSilosAsync(default)).Count == 2, Eventually.Soon, "another silo has joined");
        Assert.Null(await TryAsync(Next(), asynchronous: false));
    }

    [Fact]
    public async Task A_board_of_a_wrong_type_is_written_anew_and_costs_no_request()
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
    public async Task An_error_that_Redis_answers_is_not_told_as_an_outage()
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
    public async Task A_master_that_refuses_writes_for_want_of_replicas_is_an_outage_that_passes()
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
