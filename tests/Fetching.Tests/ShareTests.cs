using Detection.Contracts.Fetching;
using Detection.Contracts.Sharing;

namespace Detection.Fetching.Tests;

/// <summary>Neither one caller nor one slow site can occupy all fetches.</summary>
public sealed class ShareTests(SharedRedis redis)
{
    [Fact]
    public async Task Forty_slow_URLs_of_one_caller_delay_no_other_caller()
    {
        var picture = RecordingHost.NewPicture();
        await using var slow = await RecordingHost.StartAsync(
            static context => Task.Delay(Timeout.Infinite, context.RequestAborted), [.. Enumerable.Range(10, 40).Select(static i => $"127.0.1.{i}")]);
        await using var good = await RecordingHost.StartAsync(RecordingHost.Picture(picture));
        await using var fetcher = NewFetcher(slow.Port, good.Port);
        using var end = new CancellationTokenSource();

        // Each at a different site, so that only the caller's share can limit them.
        var flood = Enumerable.Range(10, 40).Select(i => fetcher.FetchAsync($"http://127.0.1.{i}:{slow.Port}/", caller: "flood", cancellationToken: end.Token)).ToList();
        await Eventually.Async(() => slow.Requests.Count == 16, Eventually.Soon, "the caller holds its share of 32");
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"http://127.0.0.1:{good.Port}/{i}", caller: "other")).Status);
        }

        var late = await fetcher.FetchAsync($"http://127.0.0.1:{good.Port}/", TimeSpan.FromMilliseconds(200), "flood");

        Assert.Equal(FetchStatus.ShareUsed, late.Status);
        Assert.Contains("share", late.Message, StringComparison.Ordinal);
        Assert.Equal(16, slow.Requests.Count);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(flood));
        Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"http://127.0.0.1:{good.Port}/after", caller: "flood")).Status);
    }

    [Fact]
    public async Task Slow_site_with_many_names_holds_its_share_only()
    {
        await using var slow = await RecordingHost.StartAsync(static context => Task.Delay(Timeout.Infinite, context.RequestAborted), "127.0.1.9");
        await using var good = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()));
        var names = new Names();
        for (var i = 0; i < 40; i++)
        {
            names.Add($"cam{i}.slow.test", "127.0.1.9");
        }

        await using var fetcher = NewFetcher(slow.Port, good.Port, names);
        using var end = new CancellationTokenSource();

        // Without a caller's name: only the site's share can limit them.
        var flood = Enumerable.Range(0, 40).Select(i => fetcher.FetchAsync($"http://cam{i}.slow.test:{slow.Port}/", cancellationToken: end.Token)).ToList();
        await Eventually.Async(() => slow.Requests.Count == 8, Eventually.Soon, "the site holds its share of 32");
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"http://127.0.0.1:{good.Port}/{i}")).Status);
        }

        var late = await fetcher.FetchAsync($"http://127.0.1.9:{slow.Port}/", TimeSpan.FromMilliseconds(200));

        Assert.Equal(FetchStatus.NotReachable, late.Status);
        Assert.Contains("site's share", late.Message, StringComparison.Ordinal);
        Assert.Equal(8, slow.Requests.Count);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(flood));
    }

    [Theory]
    [InlineData(32, 0.5, 1, 16), InlineData(32, 0.5, 3, 8), InlineData(32, 0.25, 1, 8), InlineData(32, 1, 1, 32), InlineData(1, 0.5, 1, 1), InlineData(4, 0.01, 1, 1)]
    public void Callers_hold_their_share_and_one_more_caller_finds_a_place(int capacity, double share, int callers, int each)
    {
        var places = new SharedPlaces(capacity, share, siteShare: 1);
        for (var entered = true; entered;)
        {
            entered = false;
            for (var caller = 0; caller < callers; caller++)
            {
                entered |= places.TryEnter($"{caller}", null) is not null;
            }
        }

        Assert.Equal(each * callers, places.Held);
        Assert.Equal(each * callers < capacity ? PlaceLimit.None : PlaceLimit.All, places.Limit("one more", null));
    }

    [Theory]
    [InlineData(32, 0.5, 0.25, 4, 2), InlineData(32, 1, 0.25, 8, 0), InlineData(4, 0.5, 0.25, 1, 0), InlineData(16, 0.5, 0.5, 4, 2)]
    public void Caller_holds_its_share_of_a_site_and_the_next_caller_finds_a_place(
        int capacity, double callerShare, double siteShare, int first, int second)
    {
        var places = new SharedPlaces(capacity, callerShare, siteShare);

        Assert.Equal((first, second), (Fill("a"), Fill("b")));
        Assert.Null(places.TryEnter("a", "site"));
        Assert.NotNull(places.TryEnter("a", "other site"));

        int Fill(string caller)
        {
            var count = 0;
            while (places.TryEnter(caller, "site") is not null)
            {
                count++;
            }

            return count;
        }
    }

    [Fact]
    public async Task Next_place_goes_to_the_caller_with_the_fewest()
    {
        var places = new SharedPlaces(3, callerShare: 1, siteShare: 1);
        IDisposable[] held = [places.TryEnter("a", null)!, places.TryEnter("a", null)!, places.TryEnter("b", null)!];
        var a = places.EnterAsync("a", null, CancellationToken.None).AsTask();
        var b = places.EnterAsync("b", null, CancellationToken.None).AsTask();
        var c = places.EnterAsync("c", null, CancellationToken.None).AsTask();

        held[0].Dispose();
        (await c).Dispose();
        await a;
        held[1].Dispose();
        await b;

        Assert.Equal(3, places.Held);
        held[1].Dispose();
        Assert.Equal(3, places.Held);
    }

    [Fact]
    public async Task Cancelled_caller_holds_no_place()
    {
        var places = new SharedPlaces(2, callerShare: 0.5, siteShare: 0.5);
        await Parallel.ForEachAsync(Enumerable.Range(0, 2000), async (i, _) =>
        {
            using var limit = new CancellationTokenSource();
            if (i % 3 == 0)
            {
                limit.CancelAfter(TimeSpan.FromMilliseconds(i % 5));
            }

            try
            {
                using var place = await places.EnterAsync($"{i % 4}", $"{i % 7}", limit.Token);
                await Task.Yield();
                Assert.InRange(places.Held, 1, 2);
            }
            catch (OperationCanceledException)
            {
            }
        });

        Assert.Equal(0, places.Held);
        Assert.Equal(0, places.Waiting);
    }

    private Fetcher NewFetcher(int slow, int good, Names? names = null) => new(
        redis.Connection, names, ("AllowedPorts:0", $"{slow}"), ("AllowedPorts:1", $"{good}"), ("AllowedNetworks:0", "127.0.0.0/8"));
}
