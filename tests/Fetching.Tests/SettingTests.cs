using Detection.Contracts.Fetching;
using Detection.Contracts.Storage;
using Detection.Grains.Fetching;
using Microsoft.Extensions.Options;

namespace Detection.Fetching.Tests;

public sealed class SettingTests(SharedRedis redis)
{
    [Theory]
    [InlineData("AllowedHosts", "camera.test", "camera.test", true)]
    [InlineData("AllowedHosts", "Camera.Test.", "camera.test", true)]
    [InlineData("AllowedHosts", "camera.test", "CAMERA.TEST.", true)]
    [InlineData("AllowedHosts", "camera.test", "a.camera.test", false)]
    [InlineData("AllowedHosts", "*.camera.test", "a.camera.test", true)]
    [InlineData("AllowedHosts", "*.camera.test", "a.b.camera.test", true)]
    [InlineData("AllowedHosts", "*.camera.test", "camera.test", false)]
    [InlineData("AllowedHosts", "*.camera.test", "evilcamera.test", false)]
    [InlineData("AllowedHosts", "10.0.0.9", "10.0.0.9", true)]
    [InlineData("AllowedHosts", "10.0.0.9", "::ffff:10.0.0.9", true)]
    [InlineData("AllowedHosts", "10.0.0.9", "camera.test", false)]
    [InlineData("AllowedHosts", "fd12:0::9", "fd12::9", true)]
    [InlineData("AllowedHosts", "bücher.test", "xn--bcher-kva.test", true)]
    [InlineData("AllowedNetworks", "10.0.0.0/24", "10.0.0.9", true)]
    [InlineData("AllowedNetworks", "10.0.0.0/24", "camera.test", true)]
    [InlineData("AllowedNetworks", "10.0.0.0/24", "10.0.1.9", false)]
    [InlineData("AllowedNetworks", "10.0.0.0/24", "::ffff:10.0.0.9", true)]
    [InlineData("AllowedNetworks", "10.0.0.0/24", "64:ff9b::10.0.0.9", true)]
    [InlineData("AllowedNetworks", "10.0.0.9", "10.0.0.9", true)]
    [InlineData("AllowedNetworks", "10.0.0.9", "10.0.0.8", false)]
    [InlineData("AllowedNetworks", "fd12::/16", "fd12::9", true)]
    [InlineData("DeniedHosts", "public.test", "public.test", false)]
    [InlineData("DeniedHosts", "*.public.test", "a.public.test", false)]
    [InlineData("DeniedHosts", "*.public.test", "public.test", true)]
    [InlineData("DeniedNetworks", "8.8.8.0/24", "8.8.8.8", false)]
    [InlineData("DeniedNetworks", "8.8.8.0/24", "public.test", false)]
    [InlineData("DeniedNetworks", "8.8.8.0/24", "64:ff9b::8.8.8.8", false)]
    [InlineData("DeniedNetworks", "8.8.8.0/24", "8.8.4.4", true)]
    [InlineData("AllowInternet", "false", "8.8.8.8", false)]
    public async Task Setting_opens_or_closes_the_hosts_that_it_names(string setting, string value, string host, bool open)
    {
        var names = new Names();
        foreach (var inside in new[] { "camera.test", "a.camera.test", "a.b.camera.test", "evilcamera.test", "xn--bcher-kva.test" })
        {
            names.Add(inside, "10.0.0.9");
        }

        names.Add("public.test", "8.8.8.8").Add("a.public.test", "8.8.8.8");
        await using var fetcher = new Fetcher(redis.Connection, names, (setting == "AllowInternet" ? setting : $"{setting}:0", value));

        if (open)
        {
            Assert.Single(await fetcher.Guard.ResolveAsync(host, null, CancellationToken.None));
        }
        else
        {
            await Assert.ThrowsAsync<EgressRefusedException>(() => fetcher.Guard.ResolveAsync(host, null, CancellationToken.None));
        }
    }

    [Theory]
    [InlineData("DeniedHosts:0", "camera.test"), InlineData("DeniedNetworks:0", "10.0.0.0/8")]
    public async Task Denied_settings_override_allowed_ones(string setting, string value)
    {
        await using var fetcher = new Fetcher(
            redis.Connection,
            new Names().Add("camera.test", "10.0.0.9"),
            ("AllowedHosts:0", "camera.test"), ("AllowedNetworks:0", "10.0.0.9"), (setting, value));

        Assert.Equal(FetchStatus.NotAllowed, (await fetcher.FetchAsync("http://camera.test/")).Status);
    }

    [Fact]
    public async Task Host_allowed_by_name_opens_no_other_host_at_its_address()
    {
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()));
        await using var fetcher = new Fetcher(
            redis.Connection,
            new Names().Add("camera.test", "127.0.0.1").Add("other.test", "127.0.0.1"),
            ("AllowedHosts:0", "camera.test"), ("AllowedPorts:0", $"{host.Port}"));

        Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"http://camera.test:{host.Port}/a")).Status);
        Assert.Equal(FetchStatus.NotAllowed, (await fetcher.FetchAsync($"http://127.0.0.1:{host.Port}/b")).Status);
        Assert.Equal(FetchStatus.NotAllowed, (await fetcher.FetchAsync($"http://other.test:{host.Port}/c")).Status);
        Assert.Equal(["127.0.0.1 /a"], host.Requests);
    }

    [Theory]
    [InlineData("Timeout", "00:00:00"), InlineData("Timeout", "00:01:01"), InlineData("ConnectTimeout", "-00:00:01"), InlineData("ResolveTimeout", "00:00:00")]
    [InlineData("MaxBytes", "0"), InlineData("MaxBytes", "268435457"), InlineData("MaxRedirects", "-1"), InlineData("MaxRedirects", "21")]
    [InlineData("MaxConcurrency", "0"), InlineData("AllowedPorts:0", "0"), InlineData("AllowedPorts:0", "65536")]
    [InlineData("AllowedHosts:0", "*"), InlineData("AllowedHosts:0", "a.*.test"), InlineData("AllowedHosts:0", "http://a.test"), InlineData("AllowedHosts:0", "a.test:80")]
    [InlineData("DeniedHosts:0", "a test"), InlineData("DeniedHosts:0", ""), InlineData("AllowedNetworks:0", "10.0.0.0/33"), InlineData("AllowedNetworks:0", "camera.test")]
    [InlineData("AllowedNetworks:0", "10"), InlineData("DeniedNetworks:0", "10.0.0.0-10.0.0.9")]
    public async Task Invalid_setting_is_named(string setting, string value)
    {
        await using var fetcher = new Fetcher(redis.Connection, new Names(), (setting, value));

        var fault = Assert.Throws<OptionsValidationException>(() => fetcher.Guard);

        Assert.Contains(setting.Split(':')[0], fault.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("00:00:00"), InlineData("2.00:00:00")]
    public async Task Invalid_expiry_is_named(string expiry)
    {
        await using var fetcher = new Fetcher(redis.Connection, new Names(), ($"{PictureOptions.Section}:Expiry", expiry));

        Assert.Contains("Expiry", Assert.Throws<OptionsValidationException>(() => fetcher.Pictures).Message, StringComparison.Ordinal);
    }
}
