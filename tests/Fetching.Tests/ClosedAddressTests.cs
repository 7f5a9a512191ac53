using System.Net;
using System.Net.Sockets;
using Detection.Contracts.Fetching;
using Detection.Grains.Fetching;

namespace Detection.Fetching.Tests;

/// <summary>Closed addresses, in every spelling and however they are reached.</summary>
public sealed class ClosedAddressTests(SharedRedis redis)
{
    // The longest part of a name: four of them are too much.
    private const string Label = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg";

    private const string Refusal = "There is no such host, or pictures may not be fetched from it.";

    /// <summary>Closed addresses, each with the end of its network if that adds a case.</summary>
    public static TheoryData<string> Closed =>
    [
        "0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.254",
        "169.254.0.1", "169.254.255.255", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1",
        "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255",
        "240.0.0.1", "255.255.255.255",
        // IPv6: unspecified, loopback, discard-only, documentation, benchmarking, ORCHID, unique local, link-local, site-local, multicast
        "::", "::1", "100::1", "2001:db8::1", "3fff::1", "2001:2::1", "2001:10::1", "2001:20::1", "fc00::1", "fd12:3456:789a::1",
        "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "3ffe::1", "4000::1", "5f00::1", "8000::1",
        // IPv4 inside: mapped, compatible, translated, NAT64 (well-known and local-use), 6to4, Teredo, ISATAP
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:192.168.1.1", "::127.0.0.1", "::10.0.0.1", "::8.8.8.8",
        "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::10.0.0.1",
        "64:ff9b:1::8.8.8.8", "2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:7f00:1::1", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1",
        // Metadata
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.42.42", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42",
    ];

    /// <summary>Public addresses, among them the neighbours of closed networks.</summary>
    public static TheoryData<string> Open =>
    [
        "1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "198.51.101.0", "203.0.114.0", "223.255.255.255", "168.63.129.17",
        "2606:4700:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2a00:1450:4001:80b::200e", "2001:db9::1", "3fff:1000::1",
        "64:ff9b::8.8.8.8", "2002:808:808::1",
    ];

    /// <summary>Ways to write 127.0.0.1, ::1, 0.0.0.0 and the metadata address in a URL.</summary>
    public static TheoryData<string> Spellings =>
    [
        "127.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "127.1.2.3", "2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.0x1", "0177.0.0.1",
        "017700000001", "00000177.0x0.1", "127.0.0.0x1", "0", "0.0.0.0", "0x0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]",
        "[::1%25lo]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]", "[::127.0.0.1]", "127.0.0.1",
        "127。0。0。1", "127.0.0.1", "①②⑦.⓪.⓪.①", "localhost", "LOCALHOST", "LocalHost.", "localhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
        "169.254.169.254", "169.254.43518", "0xA9FEA9FE", "2852039166", "0251.0376.0251.0376", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]",
        "169.254.169.254.", "255.255.255.255", "4294967295",
    ];

    [Theory, MemberData(nameof(Closed))]
    public async Task Closed_address_is_refused_as_literal_as_name_and_among_others(string address)
    {
        var names = new Names().Add("one.test", address).Add("mixed.test", "8.8.8.8", address);
        await using var fetcher = new Fetcher(redis.Connection, names);
        var literal = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;

        foreach (var host in new[] { literal, "one.test", "mixed.test" })
        {
            var outcome = await fetcher.FetchAsync($"http://{host}/latest/meta-data/");

            Assert.Equal(new FetchOutcome(FetchStatus.NotAllowed, Message: Refusal) { IsFinal = true }, outcome);
        }
    }

    [Theory, MemberData(nameof(Closed))]
    public async Task Redirect_to_a_closed_address_is_refused(string address)
    {
        var literal = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
        var location = "";
        await using var host = await RecordingHost.StartAsync(RecordingHost.Redirect(() => location, RecordingHost.NewPicture()));
        var names = new Names().Add("open.test", "127.0.0.1").Add("inside.test", address);
        await using var fetcher = new Fetcher(
            redis.Connection, names, ("AllowedHosts:0", "open.test"), ("AllowedPorts:0", $"{host.Port}"));

        foreach (var target in new[] { $"http://{literal}/", $"//{literal}:{host.Port}/x", "http://inside.test/" })
        {
            location = target;
            var outcome = await fetcher.FetchAsync($"http://open.test:{host.Port}/redirect");

            Assert.Equal(new FetchOutcome(FetchStatus.NotAllowed, Message: Refusal) { IsFinal = true }, outcome);
        }

        Assert.All(host.Requests, request => Assert.Equal("127.0.0.1 /redirect", request));
    }

    [Theory, MemberData(nameof(Open))]
    public async Task Public_address_is_open(string address)
    {
        await using var fetcher = new Fetcher(redis.Connection, new Names().Add("one.test", address));

        Assert.Equal([IPAddress.Parse(address)], await fetcher.Guard.ResolveAsync(address, null, CancellationToken.None));
        Assert.Equal([IPAddress.Parse(address)], await fetcher.Guard.ResolveAsync("one.test", null, CancellationToken.None));
    }

    [Fact]
    public async Task Mapped_public_address_is_connected_to_as_IPv4()
    {
        await using var fetcher = new Fetcher(redis.Connection, new Names());

        Assert.Equal([IPAddress.Parse("8.8.8.8")], await fetcher.Guard.ResolveAsync("::ffff:8.8.8.8", null, CancellationToken.None));
    }

    [Theory, MemberData(nameof(Spellings))]
    public async Task Spellings_of_closed_addresses_are_refused(string spelling)
    {
        // The operating system's resolver: its reading of a spelling is what counts.
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()), "0.0.0.0");
        await using var fetcher = new Fetcher(redis.Connection, settings: ("AllowedPorts:0", $"{host.Port}"));

        var outcome = await fetcher.FetchAsync($"http://{spelling}:{host.Port}/");

        Assert.Equal(new FetchOutcome(FetchStatus.NotAllowed, Message: Refusal) { IsFinal = true }, outcome);
        Assert.Empty(host.Requests);
    }

    [Theory, InlineData("127.0.0.1"), InlineData("127.1"), InlineData("2130706433"), InlineData("0x7f.1"), InlineData("[::ffff:7f00:1]"),
     InlineData("127。0。0。1"), InlineData("localhost"), InlineData("017700000001"), InlineData("127.0.0.1.")]
    public async Task Spellings_of_loopback_are_fetched_when_a_setting_opens_it(string spelling)
    {
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()), "0.0.0.0");
        await using var fetcher = new Fetcher(
            redis.Connection, settings: [("AllowedPorts:0", $"{host.Port}"), ("AllowedNetworks:0", "127.0.0.0/8"), ("AllowedNetworks:1", "::1")]);

        var outcome = await fetcher.FetchAsync($"http://{spelling}:{host.Port}/");

        Assert.Equal(FetchStatus.Stored, outcome.Status);
    }

    [Theory]
    [InlineData("169.254.169.254"), InlineData("fd00:ec2::254"), InlineData("100.100.100.200"), InlineData("168.63.129.16")]
    [InlineData("::ffff:169.254.169.254"), InlineData("64:ff9b::169.254.169.254"), InlineData("2002:a9fe:a9fe::1")]
    public async Task No_setting_opens_metadata_addresses(string address)
    {
        await using var fetcher = new Fetcher(
            redis.Connection,
            new Names().Add("metadata.test", address),
            ("AllowedHosts:0", "metadata.test"), ("AllowedHosts:1", address), ("AllowedNetworks:0", "0.0.0.0/0"), ("AllowedNetworks:1", "::/0"));

        await Assert.ThrowsAsync<EgressRefusedException>(() => fetcher.Guard.ResolveAsync("metadata.test", null, CancellationToken.None));
        await Assert.ThrowsAsync<EgressRefusedException>(() => fetcher.Guard.ResolveAsync(address, null, CancellationToken.None));
    }

    [Fact]
    public async Task Unknown_name_is_refused_like_one_that_leads_inside()
    {
        await using var fetcher = new Fetcher(redis.Connection, new Names().Add("inside.test", "10.1.2.3"));

        var missing = await fetcher.FetchAsync("http://missing.test/");

        Assert.Equal(await fetcher.FetchAsync("http://inside.test/"), missing);
    }

    [Theory]
    [InlineData("ftp://8.8.8.8/x"), InlineData("file:///etc/passwd"), InlineData("gopher://8.8.8.8:70/"), InlineData("data:image/png;base64,AAAA")]
    [InlineData("/etc/passwd"), InlineData("picture.jpg"), InlineData("ws://8.8.8.8/"), InlineData("unix:/var/run/docker.sock")]
    [InlineData("http://user@8.8.8.8/"), InlineData("http://user:secret@8.8.8.8/"), InlineData("http://8.8.8.8:22/"), InlineData("http://8.8.8.8:6379/")]
    [InlineData("https://8.8.8.8:8443/"), InlineData("http://8.8.8.8:0/"), InlineData("http://\u202e/")]
    [InlineData($"http://{Label}.{Label}.{Label}.{Label}.test/")]
    public async Task Invalid_url_is_refused_without_a_lookup(string url)
    {
        var names = new Names();
        await using var fetcher = new Fetcher(redis.Connection, names);

        var outcome = await fetcher.FetchAsync(url);

        Assert.Equal(FetchStatus.NotAllowed, outcome.Status);
        Assert.DoesNotContain("secret", outcome.Message, StringComparison.Ordinal);
        Assert.Empty(names.Asked);
    }

    [Fact]
    public async Task Hanging_name_server_ends_the_fetch()
    {
        await using var fetcher = new Fetcher(redis.Connection, new Names { Hangs = true }, ("ResolveTimeout", "00:00:00.100"));

        Assert.Equal(FetchStatus.NotReachable, (await fetcher.FetchAsync("http://slow.test/")).Status);
    }
}
