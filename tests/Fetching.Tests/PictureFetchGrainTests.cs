using System.Security.Cryptography;
using Detection.Contracts.Fetching;
using Detection.Contracts.Storage;
using Detection.Grains.Fetching;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace Detection.Fetching.Tests;

public sealed class PictureFetchGrainTests(SharedRedis redis)
{
    [Fact]
    public async Task Silo_fetches_many_pictures_at_once()
    {
        const int Count = 20;
        var pictures = Enumerable.Range(0, Count).Select(_ => RecordingHost.NewPicture()).ToArray();
        var arrived = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            // Nobody is served before everybody is there.
            var number = Interlocked.Increment(ref arrived);
            if (number == Count)
            {
                all.SetResult();
            }

            await all.Task.WaitAsync(context.RequestAborted);
            await RecordingHost.Picture(pictures[number - 1])(context);
        });
        await using var cluster = await StartClusterAsync(host);
        var grain = cluster.Client.GetGrain<IPictureFetchGrain>(0);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, Count).Select(i =>
            grain.Fetch(new Uri($"http://127.0.0.1:{host.Port}/{i}"), Fetcher.Ample, null, CancellationToken.None)));

        Assert.All(outcomes, outcome => Assert.Equal(FetchStatus.Stored, outcome.Status));
        Assert.Equal(
            pictures.Select(picture => Convert.ToHexStringLower(SHA256.HashData(picture))).Order(StringComparer.Ordinal),
            outcomes.Select(outcome => outcome.ImageKey).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Outcome_and_cancellation_are_sent_over_the_wire()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }
            finally
            {
                gone.SetResult();
            }
        });
        await using var cluster = await StartClusterAsync(host);
        var grain = cluster.Client.GetGrain<IPictureFetchGrain>(0);
        using var caller = new CancellationTokenSource();

        var refused = await grain.Fetch(new Uri("http://169.254.169.254/"), Fetcher.Ample, null, CancellationToken.None);
        var relative = await grain.Fetch(new Uri("x.png", UriKind.Relative), Fetcher.Ample, null, CancellationToken.None);
        var fetch = grain.Fetch(new Uri($"http://127.0.0.1:{host.Port}/"), Fetcher.Ample, null, caller.Token);
        await Eventually.Async(() => !host.Requests.IsEmpty, Eventually.Soon, "the fetch is under way");
        await caller.CancelAsync();

        Assert.Equal(new FetchOutcome(FetchStatus.NotAllowed, Message: "There is no such host, or pictures may not be fetched from it.") { IsFinal = true }, refused);
        Assert.Equal(FetchStatus.NotAllowed, relative.Status);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
        await gone.Task.WaitAsync(Eventually.Soon, TestContext.Current.CancellationToken);
    }

    private async Task<InProcessTestCluster> StartClusterAsync(RecordingHost host)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Detection:Fetch:AllowedNetworks:0"] = "127.0.0.1",
            ["Detection:Fetch:AllowedPorts:0"] = $"{host.Port}",
            ["Detection:Fetch:SiteShare"] = "1",
            ["Detection:Fetch:Timeout"] = "00:00:30",
        }).Build();
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) => silo.Services
            .AddSingleton(redis.Connection)
            .AddSingleton(new RedisKeys())
            .AddSingleton(_ => new RedisConnections(redis.Connection.Configuration))
            .AddPictureFetching(configuration));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return cluster;
    }
}
