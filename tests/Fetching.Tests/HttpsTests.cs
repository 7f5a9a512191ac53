using System.Security.Cryptography.X509Certificates;
using Detection.Contracts.Fetching;

namespace Detection.Fetching.Tests;

/// <summary>Fetching by https, with certificates of <see cref="TestAuthority"/>.</summary>
public sealed class HttpsTests(SharedRedis redis)
{
    private static readonly FetchOutcome NotReachable = new(FetchStatus.NotReachable, Message: "The address could not be reached.");

    [Fact]
    public async Task Trusted_server_is_fetched_from()
    {
        SkipUnlessLinux();
        using var certificate = TestAuthority.NewServer("secure.test");
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()), certificate);
        await using var fetcher = NewFetcher(host);

        Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"https://secure.test:{host.Port}/1")).Status);
        Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"https://secure.test:{host.Port}/2")).Status);
    }

    [Fact]
    public async Task Certificate_of_another_server_or_an_expired_one_is_not_trusted()
    {
        SkipUnlessLinux();
        using var others = TestAuthority.NewServer("other.test");
        using var expired = TestAuthority.NewServer("secure.test", expired: true);
        foreach (var certificate in new[] { others, expired })
        {
            await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()), certificate);
            await using var fetcher = NewFetcher(host);

            Assert.Equal(NotReachable, await fetcher.FetchAsync($"https://secure.test:{host.Port}/"));
            Assert.Empty(host.Requests);
        }
    }

    [Fact]
    public async Task Certificate_cannot_cause_a_connection_to_an_internal_address()
    {
        SkipUnlessLinux();
        using var intermediate = TestAuthority.NewIntermediate();
        await using var inside = await RecordingHost.StartAsync(RecordingHost.Picture(intermediate.Export(X509ContentType.Cert)));
        using var certificate = TestAuthority.NewServer(
            "secure.test", intermediate, new Uri($"http://127.0.0.1:{inside.Port}/intermediate.cer"));
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()), certificate);
        await using var fetcher = NewFetcher(host);

        Assert.Equal(NotReachable, await fetcher.FetchAsync($"https://secure.test:{host.Port}/"));
        Assert.Empty(inside.Requests);
    }

    [Fact]
    public async Task Redirect_from_https_to_http_is_not_followed()
    {
        SkipUnlessLinux();
        await using var plain = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()));
        using var certificate = TestAuthority.NewServer("secure.test");
        await using var host = await RecordingHost.StartAsync(
            RecordingHost.Redirect(() => $"http://secure.test:{plain.Port}/", RecordingHost.NewPicture()), certificate);
        await using var fetcher = NewFetcher(host, plain);

        Assert.Equal(FetchStatus.NotAllowed, (await fetcher.FetchAsync($"https://secure.test:{host.Port}/redirect")).Status);
        Assert.Single(host.Requests);
        Assert.Empty(plain.Requests);
    }

    private Fetcher NewFetcher(RecordingHost host, RecordingHost? other = null) => new(
        redis.Connection,
        new Names().Add("secure.test", "127.0.0.1"),
        ("AllowedHosts:0", "secure.test"), ("AllowedPorts:0", $"{host.Port}"), ("AllowedPorts:1", $"{(other ?? host).Port}"));

    private static void SkipUnlessLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The test authority is trusted by OpenSSL's environment.");
}
