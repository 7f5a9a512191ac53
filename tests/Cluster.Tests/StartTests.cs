using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Detection.Cluster.Tests;

/// <summary>Programs that start before Redis, or with invalid settings.</summary>
public class StartTests
{
    [Fact]
    public async Task Silo_waits_for_a_Redis_that_starts_later()
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
    [InlineData("Detection__Devices", "gpu", "The setting 'Detection__Devices' names 'gpu'. Use auto, none, or cpu, cuda:0, cuda:1, … separated by commas.")]
    [InlineData("Detection__Queue__Capacity", "0", "The setting 'Detection__Queue__Capacity' is '0'. Use a whole number from 1 to 1000000.")]
    [InlineData("Detection__Silo__AdvertisedAddress", "here", "The setting 'Detection__Silo__AdvertisedAddress' is 'here', which is no IP address.")]
    [InlineData(DetectionSettings.ClusterId, "two:parts", "The cluster id (Detection__ClusterId) must be 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or a digit. It is 'two:parts'.")]
    [InlineData(DetectionSettings.ClusterId, "{tag}", "It is '{tag}'.")]
    [InlineData("Detection__Silo__ClusterId", "blue", "The setting 'Detection__Silo__ClusterId' no longer exists. Set 'Detection__ClusterId'")]
    [InlineData(DetectionSettings.ClusterSecret, "short", "The setting 'Detection__ClusterSecurity__Secret' must be 32 to 500 characters without spaces")]
    [InlineData(DetectionSettings.Authority, "ca.crt", "Detection:ClusterSecurity has an authority or a key but no certificate. Set Detection:ClusterSecurity:Certificate.")]
    [InlineData(DetectionSettings.Certificate, "tls.crt", "Detection:ClusterSecurity has a certificate but no authority. Set Detection:ClusterSecurity:Authority")]
    [InlineData("Detection__Models__LoadTimeout", "5", "The setting 'Detection__Models__LoadTimeout' is '5'. Use a duration from 1 s to 1 day, such as 4s, 500ms, 2m, 1h, 7d or 00:00:04.")]
    [InlineData("Detection__Queue__Capacity", "many", "The setting 'Detection__Queue__Capacity' is 'many'. Use a whole number from 1 to 1000000.")]
    [InlineData("Detection__Queue__Capcity", "5", "Cannot start: The setting 'Detection__Queue__Capcity' does not exist. Use 'Detection__Queue__Capacity'.")]
    [InlineData("DETECTION__FETCH__ALLOWEDHOST__1", "a.test", "The setting 'DETECTION__FETCH__ALLOWEDHOST__1' does not exist. Use 'Detection__Fetch__AllowedHosts__1'.")]
    [InlineData("Detection__Fetch__AllowedHosts", "a.test", "The setting 'Detection__Fetch__AllowedHosts' does not exist. Use 'Detection__Fetch__AllowedHosts__0'.")]
    [InlineData("Detection__PoisonExpiry", "1h", "The setting 'Detection__PoisonExpiry' does not exist. Use 'Detection__Queue__PoisonExpiry'.")]
    [InlineData("Detection__Sandwich", "1h", "The setting 'Detection__Sandwich' does not exist. The option --help lists all settings.")]
    [InlineData("Detection__DeviceHealth__WhenBroken", "Explode", "The setting 'Detection__DeviceHealth__WhenBroken' is 'Explode'. Use StayInCluster or EndSilo.")]
    [InlineData("Detection__Cuda__Verify", "perhaps", "The setting 'Detection__Cuda__Verify' is 'perhaps'. Use true or false.")]
    [InlineData("Detection__Limits__MaxPixels", "0", "The setting 'Detection__Limits__MaxPixels' is '0'. Use a whole number from 1 to")]
    [InlineData("Detection__Queue__CallerShare", "0,5", "The setting 'Detection__Queue__CallerShare' is '0,5'. Use a number from 0.01 to 1, with a decimal point.")]
    [InlineData(DetectionSettings.Redis, null, "needs the connection string 'redis'")]
    [InlineData(DetectionSettings.Redis, " ", "needs the connection string 'redis'")]
    [InlineData(DetectionSettings.Redis, "127.0.0.1:1,sssl=true", "The setting 'ConnectionStrings__redis' cannot be read: Keyword 'sssl' is not supported.")]
    [InlineData(DetectionSettings.Redis, "127.0.0.1:70000", "The setting 'ConnectionStrings__redis' cannot be read: A port is not from 0 to 65535.")]
    [InlineData(DetectionSettings.Redis, ",", "The setting 'ConnectionStrings__redis' cannot be read: It names no server.")]
    [InlineData("ConnectionStrings__pictures", "127.0.0.1:1,connectTimeout=long", "The setting 'ConnectionStrings__pictures' cannot be read: Keyword 'connectTimeout' requires an integer value")]
    public async Task Invalid_setting_of_a_silo_is_reported_in_a_sentence(string setting, string? value, string sentence)
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
    [InlineData(DetectionSettings.ClusterId, "two:parts", "The cluster id (Detection__ClusterId) must be 1 to 64 letters")]
    [InlineData(DetectionSettings.ClusterSecret, "short", "The setting 'Detection__ClusterSecurity__Secret' must be 32 to 500 characters without spaces")]
    [InlineData("Detection__Frontend__DrawingTimeout", "2m", "The setting 'Detection__Frontend__DrawingTimeout' is '2 min'. Use a duration from 100 ms to 1 min, such as")]
    [InlineData("Detection__Client__ServiceId", "blue", "The setting 'Detection__Client__ServiceId' no longer exists.")]
    [InlineData(DetectionSettings.Redis, "127.0.0.1:1,sssl=true", "The setting 'ConnectionStrings__redis' cannot be read: Keyword 'sssl' is not supported.")]
    [InlineData(DetectionSettings.Redis, ",", "The setting 'ConnectionStrings__redis' cannot be read: It names no server.")]
    [InlineData("Detection__Access__Keys__a__Sha256", "123", "The setting 'Detection__Access__Keys__a__Sha256' is not 64 hex digits. Use the hash that 'detection key NAME' prints.")]
    [InlineData("Detection__Access__KeysFile", "/nope.json", "The setting 'Detection__Access__KeysFile' names a file that cannot be read: Could not find file '/nope.json'.")]
    [InlineData("Detection__Management__Url", "here", "The setting 'Detection__Management__Url' is 'here'. Use an address with a port above 0, such as")]
    [InlineData("Detection__Browsers__AllowedHosts__0", "a b", "The setting 'Detection:Browsers:AllowedHosts' has 'a b', which is not a name or an address without a port.")]
    [InlineData("Detection__Browsers__AllowedOrigins__0", "app.example.org", "'Detection:Browsers:AllowedOrigins' has 'app.example.org', which is not a scheme and a host")]
    public async Task Invalid_setting_of_a_front_end_is_reported_in_a_sentence(string setting, string value, string sentence)
    {
        await using var frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?> { [DetectionSettings.Redis] = "127.0.0.1:1", [setting] = value });

        await frontend.Process.ExitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(1, frontend.Process.ExitCode);
        Assert.Contains("Cannot start: ", frontend.Process.LogTail(), StringComparison.Ordinal);
        Assert.Contains(sentence, frontend.Process.LogTail(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", frontend.Process.LogTail(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("The setting 'urls' has 'bogus'. Use an address such as http://localhost:8080.", "--urls=bogus")]
    [InlineData("The setting 'urls' has 'http://localhost:999999'. Use an address such as http://localhost:8080.", "--urls=http://localhost:999999")]
    [InlineData("The setting 'urls' has 'http://localhost:many'.", "--urls", "http://localhost:many")]
    [InlineData("The setting 'urls' has 'ftp://localhost:22490'.", "--urls=http://localhost:22491;ftp://localhost:22490")]
    [InlineData("The setting 'http_ports' has '80a'. Use a port from 0 to 65535.", "--http_ports=80a")]
    [InlineData("The setting 'Kestrel:Endpoints:A:Url' has 'bogus'.", "--Kestrel:Endpoints:A:Url=bogus")]
    [InlineData("The setting 'Detection:Management:Url' has 'http://localhost:22492', the same port as 'http://*:22492' of 'urls'. Use another one.", "--urls=http://*:22492", "--Detection:Management:Url=http://localhost:22492")]
    [InlineData("The setting 'Detection:Management:Url' is 'http://localhost:99999'.", "--urls=http://localhost:22493", "--Detection:Management:Url=http://localhost:99999")]
    [InlineData("The setting 'urls' has 'http://127.0.0.1:22494', the same port as 'http://localhost:22494' of 'urls'. Use another one.", "--urls=http://localhost:22494;http://127.0.0.1:22494")]
    [InlineData("The setting 'Detection' does not exist.", "--Detection=5")]
    [InlineData("The word 'bogus' on the command line is no setting. Write a setting as --Detection:Queue:Capacity=512.", "bogus")]
    [InlineData("Cannot start: The option '--url' does not exist. Use '--urls'.", "--url", "http://localhost:22497")]
    [InlineData("Cannot start: The option '--hlep' does not exist. Use '--help'.", "--hlep")]
    [InlineData("Cannot start: The setting 'Detections:Queue:Capacity' does not exist. Use 'Detection:Queue:Capacity'.", "--Detections:Queue:Capacity=5")]
    [InlineData("The word '-v' on the command line is no setting.", "-v", "--urls=http://localhost:22495")]
    [InlineData("The setting '--Detection:Queue:Capacity' on the command line has no value.", "--Detection:Queue:Capacity")]
    [InlineData("The setting '--Detection:Queue:Capacity' on the command line has no value.", "--Detection:Queue:Capacity", "--urls=http://localhost:22496")]
    public async Task Invalid_command_line_is_reported_in_a_sentence(string sentence, params string[] arguments)
    {
        foreach (var program in (string[])["src/Silo", "src/Frontend"])
        {
            await using var process = DetectionProcess.Run(program, ["--ConnectionStrings:redis=127.0.0.1:1", .. arguments]);

            await process.ExitAsync(TimeSpan.FromSeconds(60));

            Assert.Equal(1, process.ExitCode);
            Assert.Contains("Cannot start: ", process.LogTail(), StringComparison.Ordinal);
            Assert.Contains(sentence, process.LogTail(), StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", process.LogTail(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Address_in_use_is_reported_in_a_sentence()
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
