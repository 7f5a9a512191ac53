using System.Net;
using Detection.Contracts.Fetching;
using Microsoft.AspNetCore.Http;

namespace Detection.Fetching.Tests;

/// <summary>
/// A name that leads to an open address when it is checked and inside a moment later. 127.0.0.2 stands for the internet here:
/// it is opened by a setting, and 127.0.0.3 is not.
/// </summary>
public sealed class RebindingTests(SharedRedis redis)
{
    private const string Outside = "127.0.0.2";
    private const string Inside = "127.0.0.3";

    [Fact]
    public async Task Connection_uses_the_address_that_was_checked()
    {
        var picture = RecordingHost.NewPicture();
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(picture), Outside, Inside);
        var names = new Names().Add("rebinding.test", Outside).Add("rebinding.test", Inside);
        await using var fetcher = NewFetcher(host, names);

        var outcome = await fetcher.FetchAsync($"http://rebinding.test:{host.Port}/");

        Assert.Equal(FetchStatus.Stored, outcome.Status);
        Assert.Equal([$"{Outside} /"], host.Requests);
        Assert.Single(names.Asked);
    }

    [Fact]
    public async Task Next_connection_is_checked_again()
    {
        await using var host = await RecordingHost.StartAsync(ClosingAfter(RecordingHost.Picture(RecordingHost.NewPicture())), Outside, Inside);
        await using var fetcher = NewFetcher(host, new Names().Add("rebinding.test", Outside).Add("rebinding.test", Inside));

        Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"http://rebinding.test:{host.Port}/1")).Status);
        Assert.Equal(FetchStatus.NotAllowed, (await fetcher.FetchAsync($"http://rebinding.test:{host.Port}/2")).Status);
        Assert.Equal([$"{Outside} /1"], host.Requests);
    }

    [Fact]
    public async Task Redirect_to_the_same_name_is_checked_again()
    {
        await using var host = await RecordingHost.StartAsync(
            ClosingAfter(RecordingHost.Redirect(() => "/inside", RecordingHost.NewPicture())), Outside, Inside);
        await using var fetcher = NewFetcher(host, new Names().Add("rebinding.test", Outside).Add("rebinding.test", Inside));

        Assert.Equal(FetchStatus.NotAllowed, (await fetcher.FetchAsync($"http://rebinding.test:{host.Port}/redirect")).Status);
        Assert.Equal([$"{Outside} /redirect"], host.Requests);
    }

    [Fact]
    public async Task Unanswered_address_is_followed_by_the_next_one()
    {
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()), Outside);
        await using var fetcher = NewFetcher(host, new Names().Add("two.test", "127.0.0.4", Outside), "127.0.0.4");

        Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"http://two.test:{host.Port}/")).Status);
    }

    private Fetcher NewFetcher(RecordingHost host, Names names, string alsoOpen = Outside) => new(
        redis.Connection, names, ("AllowedPorts:0", $"{host.Port}"), ("AllowedNetworks:0", Outside), ("AllowedNetworks:1", alsoOpen));

    private static RequestDelegate ClosingAfter(RequestDelegate answer) => context =>
    {
        context.Response.Headers.Connection = "close";
        return answer(context);
    };
}
