using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Detection.Cluster.Tests;

/// <summary>Programs that start too early, or with settings that cannot be.</summary>
public class StartTests
{
    [Fact]
    public async Task A_silo_waits_for_a_Redis_that_comes_later()
    {
        var port = LoopbackPorts.Next();
        await using var silo = DetectionProcess.StartSilo(
            new Dictionary<string, string?> { [DetectionSettings.Redis] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}") });
        await Eventually.Async(
            () => silo.Process.HasExited || silo.Process.LogTail().Contains($"Waiting for Redis at 127.0.0.1:{port}", StringComparison.Ordinal),
            Eventually.Soon,
            "the silo waits");

        await using var redis = await RedisServer.StartAsync(new RedisOptions { Port = port });

        await silo.ReadyAsync();
    }

    [Fact]
    public async Task A_silo_that_waits_for_its_Redis_can_be_stopped()
    {
        await using var silo = DetectionProcess.StartSilo(
            new Dictionary<string, string?> { [DetectionSettings.Redis] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{LoopbackPorts.Next()}") });
        await Eventually.Async(
            () => silo.Process.HasExited || silo.Process.LogTail().Contains("Waiting for Redis", StringComparison.Ordinal), Eventually.Soon, "the silo waits");

        Assert.Equal(0, await silo.StopAsync());
    }

    [Theory]
    [InlineData("Detection__Devices", "gpu", "Devices names \"gpu\"")]
    [InlineData("Detection__Queue__Capacity", "0", "Capacity must be between 1 and")]
    [InlineData("Detection__Silo__AdvertisedAddress", "here", "\"here\", which is no IP address")]
    [InlineData(DetectionSettings.ClusterId, "two:parts", "The cluster id (Detection:ClusterId) must be 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or a digit. It is 'two:parts'.")]
    [InlineData(DetectionSettings.ClusterId, "{tag}", "It is '{tag}'.")]
    [InlineData("Detection__Silo__ClusterId", "blue", "The setting 'Detection:Silo:ClusterId' no longer exists. Set 'Detection:ClusterId'")]
    [InlineData(DetectionSettings.ClusterSecret, "short", "The setting Detection:ClusterSecurity:Secret must be 32 to 500 characters without spaces")]
    [InlineData(DetectionSettings.Authority, "ca.crt", "Detection:ClusterSecurity has an authority or a key but no certificate. Set Detection:ClusterSecurity:Certificate.")]
    [InlineData(DetectionSettings.Certificate, "tls.crt", "Detection:ClusterSecurity has a certificate but no authority. Set Detection:ClusterSecurity:Authority")]
    [InlineData("Detection__Models__LoadTimeout", "5s", "Failed to convert configuration value '5s' at 'Detection:Models:LoadTimeout' to type 'System.TimeSpan'.")]
    [InlineData("Detection__Queue__Capacity", "many", "Failed to convert configuration value 'many' at 'Detection:Queue:Capacity' to type 'System.Int32'.")]
    [InlineData(DetectionSettings.Redis, null, "needs the connection string 'redis'")]
    public async Task A_setting_that_cannot_be_is_said_in_a_sentence(string setting, string? value, string sentence)
    {
        var settings = new Dictionary<string, string?> { [DetectionSettings.Redis] = "127.0.0.1:1", [setting] = value };
        await using var silo = DetectionProcess.StartSilo(settings);

        await silo.Process.ExitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(1, silo.Process.ExitCode);
        Assert.Contains("Cannot start: ", silo.Process.LogTail(), StringComparison.Ordinal);
        Assert.Contains(sentence, silo.Process.LogTail(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Process.LogTail(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DetectionSettings.ClusterId, "two:parts", "The cluster id (Detection:ClusterId) must be 1 to 64 letters")]
    [InlineData(DetectionSettings.ClusterSecret, "short", "The setting Detection:ClusterSecurity:Secret must be 32 to 500 characters without spaces")]
    [InlineData("Detection__Frontend__DrawingTimeout", "5s", "Failed to convert configuration value '5s' at 'Detection:Frontend:DrawingTimeout' to type 'System.TimeSpan'.")]
    [InlineData("Detection__Client__ServiceId", "blue", "The setting 'Detection:Client:ServiceId' no longer exists.")]
    public async Task A_front_end_says_so_too(string setting, string value, string sentence)
    {
        await using var frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?> { [DetectionSettings.Redis] = "127.0.0.1:1", [setting] = value });

        await frontend.Process.ExitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(1, frontend.Process.ExitCode);
        Assert.Contains("Cannot start: ", frontend.Process.LogTail(), StringComparison.Ordinal);
        Assert.Contains(sentence, frontend.Process.LogTail(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", frontend.Process.LogTail(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_taken_is_said_in_a_sentence()
    {
        await using var frontend = DetectionProcess.StartFrontend();
        await frontend.KillAsync();
        using var other = new TcpListener(IPAddress.Loopback, frontend.Url.Port);
        other.Start();

        await frontend.StartAgainAsync();
        await frontend.Process.ExitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(1, frontend.Process.ExitCode);
        Assert.Contains("Cannot start: Another process listens on", frontend.Process.LogTail(), StringComparison.Ordinal);
        Assert.Contains("--urls", frontend.Process.LogTail(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", frontend.Process.LogTail(), StringComparison.Ordinal);
    }
}
