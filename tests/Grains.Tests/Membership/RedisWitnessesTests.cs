using Detection.Grains.Membership;
using Detection.Grains.Tests.Batching;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Tests.Membership;

/// <summary>Whether silos report that they reach Redis.</summary>
public sealed class RedisWitnessesTests : SiloTest
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Silo_is_a_witness_after_it_reached_Redis_for_the_duration()
    {
        RedisServer.SkipUnlessInstalled();
        await using var proxy = new RedisProxy(Redis);
        await using var first = await TestSilo.StartAsync(Redis, [], ("Detection:Silo:Name", "first"));
        var witnesses = first.Services.GetRequiredService<RedisWitnesses>();
        await ReachesAsync(first);

        // It is not a witness for itself.
        Assert.Null(await witnesses.FindAsync(Short));
        await using var second = await TestSilo.StartAsync(Redis, [], ("Detection:Silo:Name", "second"), ("ConnectionStrings:redis", proxy.ConnectionString));
        var address = second.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        await Eventually.Async(async () => address.Equals(await witnesses.FindAsync(Short)), Eventually.Soon, "the second silo is a witness");
        Assert.Null(await witnesses.FindAsync(TimeSpan.FromHours(1)));

        // Also while the connection is open and Redis answers that it cannot serve.
        proxy.Refuse(static request => request.Contains("EXISTS", StringComparison.Ordinal) ? "LOADING Redis is loading the dataset in memory" : null);
        await Eventually.Async(async () => await witnesses.FindAsync(Short) is null, Eventually.Soon, "it is none while it does not reach Redis");
        proxy.Refuse(null);
        await Eventually.Async(async () => address.Equals(await witnesses.FindAsync(Short)), Eventually.Soon, "it is one again");
    }

    private static Task ReachesAsync(TestSilo silo) => Eventually.Async(
        () => silo.Services.GetRequiredService<RedisReach>().ReachedFor >= Short, Eventually.Soon, "the silo has reached Redis for a while");
}
