using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Detection.Contracts.Fetching;
using Detection.Grains.Fetching;
using Microsoft.Extensions.Options;

namespace Detection.Fetching.Tests;

/// <summary>Tests that count what the whole process holds: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Name servers that are silent, slow, faulty, or that lead inside.</summary>
[Collection(nameof(Alone))]
public sealed class NameTests(SharedRedis redis)
{
    private static readonly IPAddress Loopback = IPAddress.Loopback;

    [Fact]
    public async Task Unanswered_lookups_delay_no_other_and_leave_nothing()
    {
        // Repeatedly more lookups at once than the operating system's resolver has threads.
        await using var server = new NameServer(question => question.Name == "good.test" ? new Reply(0, Loopback) : null);
        var picture = RecordingHost.NewPicture();
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(picture));
        await using var fetcher = NewFetcher(host.Port, server);
        await fetcher.FetchAsync($"http://good.test:{host.Port}/");
        var before = Descriptors();

        for (var round = 0; round < 3; round++)
        {
            var silent = Enumerable.Range(0, 40).Select(i => fetcher.FetchAsync($"http://silent{round}-{i}.test:{host.Port}/", caller: "flood")).ToList();
            await Eventually.Async(() => server.Asked.Any(asked => asked.Contains($"silent{round}-0", StringComparison.Ordinal)), Eventually.Soon, "the flood is under way");
            var good = await fetcher.FetchAsync($"http://good.test:{host.Port}/{round}", caller: "other");

            Assert.Equal(FetchStatus.Stored, good.Status);
            Assert.All(await Task.WhenAll(silent), outcome => Assert.Equal(new FetchOutcome(FetchStatus.NotReachable, Message: "The address could not be reached."), outcome));
        }

        // Hundreds of questions were asked; what other tests have left open comes and goes.
        await Eventually.Async(() => Descriptors() <= before + 50, Eventually.Soon, "the sockets of all lookups are closed");
    }

    [Fact]
    public async Task Cancelled_lookup_ends_at_once()
    {
        await using var server = new NameServer(static _ => null);
        var resolver = NewResolver(server, "00:01:00");
        using var left = new CancellationTokenSource();

        var lookup = resolver.ResolveAsync("silent.test", null, left.Token);
        await Eventually.Async(() => !server.Asked.IsEmpty, Eventually.Soon, "the server was asked");
        await left.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lookup.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Slow_answer_is_used_within_the_time_limit()
    {
        await using var server = new NameServer(static _ => new Reply(0, Loopback) { After = TimeSpan.FromSeconds(1.2) });

        // Slower than the pause after which the query is repeated.
        Assert.Equal([Loopback], await NewResolver(server, "00:00:04").ResolveAsync("slow.test", null, CancellationToken.None));
    }

    [Fact]
    public async Task Lost_query_is_repeated()
    {
        // As in a network that loses one of two queries sent together: kubernetes/kubernetes issue 56903.
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        await using var server = new NameServer(question =>
            seen.AddOrUpdate(question.Type, 1, static (_, times) => times + 1) == 1 ? null : new Reply(0, Loopback));

        Assert.Equal([Loopback], await NewResolver(server, "00:00:08").ResolveAsync("lossy.test", null, CancellationToken.None));
    }

    [Fact]
    public async Task Silent_server_is_skipped()
    {
        await using var silent = new NameServer(static _ => null);
        await using var good = NameServer.Knowing(("good.test", "127.0.0.1"));
        var options = Settings("00:00:04", silent.Address, good.Address);

        Assert.Equal([Loopback], await new DnsHostResolver(options, TimeProvider.System).ResolveAsync("good.test", null, CancellationToken.None));
    }

    [Theory, InlineData("nonsense"), InlineData("short"), InlineData("other"), InlineData("fails"), InlineData("empty")]
    public async Task Server_with_invalid_answers_is_skipped_and_is_an_error_when_alone(string kind)
    {
        await using var bad = new NameServer(question => kind switch
        {
            "nonsense" => new Reply(0) { Raw = [.. Enumerable.Range(0, 300).Select(static i => (byte)(i * 37))] },
            "short" => new Reply(0) { Raw = [1, 2, 3] },
            "other" => new Reply(0) { Raw = [0xFF, 0xFF, 0x84, 0x80, 0, 0, 0, 0, 0, 0, 0, 0] },
            "empty" => new Reply(0) { Raw = [] },
            _ => new Reply(Reply.ServerFailure),
        });
        await using var good = NameServer.Knowing(("good.test", "127.0.0.1"));

        Assert.Equal([Loopback], await NewResolver("00:00:04", bad, good).ResolveAsync("good.test", null, CancellationToken.None));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => NewResolver("00:00:01", bad).ResolveAsync("good.test", null, limit.Token));
        Assert.True(fault is SocketException { SocketErrorCode: SocketError.TryAgain } or OperationCanceledException, fault.ToString());
    }

    [Fact]
    public async Task Truncated_answer_is_repeated_over_TCP()
    {
        IPAddress[] many = [.. Enumerable.Range(1, 60).Select(static i => new IPAddress([8, 8, 4, (byte)i]))];
        await using var server = new NameServer(question => new Reply(0, many) { Truncated = question.Transport == "udp" });

        Assert.Equal(many, await NewResolver(server).ResolveAsync("many.test", null, CancellationToken.None));
        Assert.Contains("tcp A many.test", server.Asked);
    }

    [Fact]
    public async Task Cut_answer_without_the_truncated_flag_is_repeated_over_TCP()
    {
        // MichaCo/DnsClient.NET issue 52.
        await using var server = new NameServer(static question => new Reply(0, Loopback) { BreaksOff = question.Transport == "udp" });

        Assert.Equal([Loopback], await NewResolver(server).ResolveAsync("short.test", null, CancellationToken.None));
    }

    [Fact]
    public async Task Unknown_name_is_distinguished_from_a_silent_server()
    {
        await using var server = NameServer.Knowing();

        var fault = await Assert.ThrowsAsync<SocketException>(() => NewResolver(server).ResolveAsync("missing.test", null, CancellationToken.None));

        Assert.Equal(SocketError.HostNotFound, fault.SocketErrorCode);
    }

    [Theory]
    [InlineData(64, 1)]
    [InlineData(20, 15)]
    public async Task Too_long_name_does_not_exist(int length, int labels)
    {
        await using var server = new NameServer(static _ => new Reply(0, Loopback));
        var resolver = NewResolver(server);

        var error = await Assert.ThrowsAsync<SocketException>(() => resolver.ResolveAsync(
            string.Join('.', Enumerable.Repeat(new string('x', length), labels)), null, CancellationToken.None));

        Assert.Equal(SocketError.HostNotFound, error.SocketErrorCode);
        Assert.Equal([Loopback], await resolver.ResolveAsync("good.test", null, CancellationToken.None));
    }

    [Fact]
    public async Task Addresses_of_other_names_are_ignored_and_those_of_an_alias_are_used()
    {
        await using var server = new NameServer(static question => question.Name switch
        {
            "other.test" => new Reply(0, Loopback) { Owner = "evil.test" },
            "astray.test" => new Reply(0, Loopback) { Owner = "evil.test", Aliases = [(null, "somewhere.test")] },
            "round.test" => new Reply(0, Loopback) { Owner = "evil.test", Aliases = [(null, "a.test"), ("a.test", "round.test")] },
            "alias.test" => new Reply(0, Loopback) { Owner = "END.test", Aliases = [("middle.test", "end.test"), (null, "Middle.test")] },
            _ => new Reply(0, Loopback) { Owner = question.Name.ToUpperInvariant() },
        });
        var resolver = NewResolver(server);

        foreach (var name in (string[])["other.test", "astray.test", "round.test"])
        {
            var error = await Assert.ThrowsAsync<SocketException>(() => resolver.ResolveAsync(name, null, CancellationToken.None));
            Assert.Equal(SocketError.HostNotFound, error.SocketErrorCode);
        }

        Assert.Equal([Loopback], await resolver.ResolveAsync("alias.test", null, CancellationToken.None));
        Assert.Equal([Loopback], await resolver.ResolveAsync("good.test", null, CancellationToken.None));
    }

    [Fact]
    public async Task Addresses_of_both_kinds_alternate_and_a_missing_kind_delays_for_a_moment_only()
    {
        await using var both = NameServer.Knowing(("both.test", "8.8.8.8"), ("both.test", "2606:4700::1"), ("both.test", "8.8.4.4"));
        await using var half = new NameServer(static question => question.Type == "A" ? new Reply(0, Loopback) : null);

        Assert.Equal(
            ["8.8.8.8", "2606:4700::1", "8.8.4.4"],
            (await NewResolver(both).ResolveAsync("both.test", null, CancellationToken.None)).Select(static address => address.ToString()));
        Assert.Equal([Loopback], await NewResolver(half, "00:01:00").ResolveAsync("half.test", null, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Answer_is_cached_for_its_lifetime()
    {
        await using var server = new NameServer(static question => new Reply(0, Loopback) { Lifetime = question.Name == "never.test" ? 0 : 30 });
        var time = new ManualTime();
        var resolver = new DnsHostResolver(Settings("00:00:30", server.Address), time);

        for (var i = 0; i < 3; i++)
        {
            await resolver.ResolveAsync("kept.test", null, CancellationToken.None);
            await resolver.ResolveAsync("never.test", null, CancellationToken.None);
        }

        Assert.Equal(1, server.Asked.Count(static asked => asked == "udp A kept.test"));
        Assert.Equal(3, server.Asked.Count(static asked => asked == "udp A never.test"));

        time.Now += TimeSpan.FromSeconds(31);
        await resolver.ResolveAsync("kept.test", null, CancellationToken.None);
        Assert.Equal(2, server.Asked.Count(static asked => asked == "udp A kept.test"));
    }

    [Fact]
    public void Cache_is_limited()
    {
        var time = new ManualTime();
        var cache = new AddressCache(time);
        for (var i = 0; i < AddressCache.MaxNames; i++)
        {
            cache.Keep($"{i}", [Loopback], TimeSpan.FromSeconds(i % 2 == 0 ? 10 : 50));
        }

        time.Now += TimeSpan.FromSeconds(20);
        cache.Keep("one more", [Loopback], TimeSpan.FromSeconds(50));

        Assert.Null(cache.Find("0"));
        Assert.NotNull(cache.Find("1"));
        for (var i = 0; i < AddressCache.MaxNames; i++)
        {
            cache.Keep($"more {i}", [Loopback], TimeSpan.FromSeconds(50));
        }

        Assert.Null(cache.Find("1"));
    }

    [Fact]
    public async Task Hosts_file_overrides_the_name_servers()
    {
        await using var server = NameServer.Knowing(("camera", "8.8.8.8"));
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "# cameras\n10.1.2.3\tcamera CAMERA2 # the first\n10.1.2.4 camera\nnonsense line\n");
            var resolver = new DnsHostResolver(Settings("00:00:02", server.Address), TimeProvider.System, file, ResolverSettings.SystemPath);

            Assert.Equal([IPAddress.Parse("10.1.2.3"), IPAddress.Parse("10.1.2.4")], await resolver.ResolveAsync("camera", null, CancellationToken.None));
            Assert.Equal([IPAddress.Parse("10.1.2.3")], await resolver.ResolveAsync("camera2", null, CancellationToken.None));
            Assert.Equal([IPAddress.Loopback, IPAddress.IPv6Loopback], await resolver.ResolveAsync("localhost", null, CancellationToken.None));
            Assert.Empty(server.Asked);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Short_name_is_completed_as_in_Kubernetes()
    {
        await using var server = NameServer.Knowing(("minio.shop.svc.cluster.local", "10.9.8.7"), ("minio.other.svc.cluster.local", "10.9.8.6"), ("example.org", "8.8.8.8"));
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n");
            var resolver = new DnsHostResolver(Settings("00:00:10", server.Address), TimeProvider.System, "/nonexistent", file);

            Assert.Equal([IPAddress.Parse("10.9.8.7")], await resolver.ResolveAsync("minio", null, CancellationToken.None));
            Assert.Equal([IPAddress.Parse("10.9.8.6")], await resolver.ResolveAsync("minio.other", null, CancellationToken.None));
            Assert.Equal([IPAddress.Parse("8.8.8.8")], await resolver.ResolveAsync("example.org", null, CancellationToken.None));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("nameserver 10.0.0.1\nnameserver fe80::1%2\nnameserver x\nnameserver 10.0.0.3\nnameserver 10.0.0.4", "10.0.0.1:53 [fe80::1%2]:53 10.0.0.3:53", "", 1)]
    [InlineData("", "127.0.0.1:53", "", 1)]
    [InlineData("domain a.test\nsearch b.test. c.test\noptions edns0 ndots:99 trust-ad\n; comment\n# comment", "127.0.0.1:53", "b.test c.test", 15)]
    [InlineData("nameserver\t127.0.0.11\noptions ndots:0", "127.0.0.11:53", "", 0)]
    public void Settings_of_the_system_are_read(string text, string servers, string search, int ndots)
    {
        var settings = ResolverSettings.Parse(text);

        Assert.Equal(servers, string.Join(' ', settings.Servers));
        Assert.Equal(search, string.Join(' ', settings.Search));
        Assert.Equal(ndots, settings.Ndots);
    }

    [Fact]
    public async Task Name_that_leads_inside_a_moment_later_is_not_connected_to()
    {
        // 127.0.0.2 stands for the internet and 127.0.0.3 for the inside; lifetime 0, as such servers give it.
        var asked = 0;
        await using var server = new NameServer(question =>
            question.Type == "A" ? new Reply(0, IPAddress.Parse(Interlocked.Increment(ref asked) == 1 ? "127.0.0.2" : "127.0.0.3")) { Lifetime = 0 } : new Reply(0));
        await using var host = await RecordingHost.StartAsync(
            context =>
            {
                context.Response.Headers.Connection = "close";
                return RecordingHost.Redirect(() => "/inside", RecordingHost.NewPicture())(context);
            },
            "127.0.0.2",
            "127.0.0.3");
        await using var fetcher = new Fetcher(
            redis.Connection, null, ("AllowedPorts:0", $"{host.Port}"), ("AllowedNetworks:0", "127.0.0.2"), ("NameServers:0", server.Address), ("ResolveTimeout", "00:00:30"));

        var outcome = await fetcher.FetchAsync($"http://rebinding.test:{host.Port}/redirect");

        Assert.Equal(FetchStatus.NotAllowed, outcome.Status);
        Assert.Equal(["127.0.0.2 /redirect"], host.Requests);
    }

    private static int Descriptors() => OperatingSystem.IsLinux() ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;

    private static IOptions<FetchOptions> Settings(string timeout, params string[] servers)
    {
        var options = new FetchOptions { ResolveTimeout = TimeSpan.Parse(timeout, System.Globalization.CultureInfo.InvariantCulture) };
        foreach (var server in servers)
        {
            options.NameServers.Add(server);
        }

        return Options.Create(options);
    }

    private static DnsHostResolver NewResolver(NameServer server, string timeout = "00:00:30") => NewResolver(timeout, server);

    private static DnsHostResolver NewResolver(string timeout, params NameServer[] servers) =>
        new(Settings(timeout, [.. servers.Select(static server => server.Address)]), TimeProvider.System);

    private Fetcher NewFetcher(int port, NameServer server) => new(
        redis.Connection,
        null,
        ("AllowedPorts:0", $"{port}"), ("AllowedNetworks:0", "127.0.0.0/8"), ("NameServers:0", server.Address), ("ResolveTimeout", "00:00:02"));

    private sealed class ManualTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
