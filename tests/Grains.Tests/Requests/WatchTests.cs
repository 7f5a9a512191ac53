using Detection.Client;
using Detection.Objects;

namespace Detection.Grains.Tests.Requests;

/// <summary>Watching a request while Redis fails.</summary>
public sealed class WatchTests : RequestTest
{
    [Fact]
    public async Task Outage_of_Redis_at_the_end_of_a_wait_is_reported_as_an_outage()
    {
        RedisServer.SkipUnlessInstalled();
        await using var proxy = new RedisProxy(Redis);
        await using var silo = await StartSiloAsync(("ConnectionStrings:redis", proxy.ConnectionString));
        var ticket = await OccupyAsync();
        Assert.Equal(DetectionStatus.Running, (await Client.GetStatusAsync(ticket.ImageKey)).Status);

        // The grain knows the work, so only the check at the end of the wait reads Redis.
        proxy.Refuse(static request => request.Contains(":result:", StringComparison.Ordinal) ? "LOADING Redis is loading the dataset in memory" : null);
        var told = await Assert.ThrowsAsync<DetectionException>(() => Client.GetStatusAsync(ticket.ImageKey, TimeSpan.FromMilliseconds(500)));
        Assert.Equal(FailureReason.Unavailable, told.Reason);

        proxy.Refuse(null);
        Device.Open();
        await DoneAsync(ticket.ImageKey);
    }
}
