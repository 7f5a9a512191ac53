using System.Net;
using System.Text.Json;

namespace Detection.Cluster.Tests;

/// <summary>Several silos on one machine.</summary>
public class PortTests
{
    [Fact]
    public async Task Silos_started_together_find_different_ports()
    {
        const int silos = 3;
        await using var cluster = await DetectionCluster.StartAsync(
            silos, settings: new Dictionary<string, string?> { [DetectionSettings.SiloPort] = null, [DetectionSettings.GatewayPort] = null });

        // A silo's name contains its port.
        await Eventually.Async(
            async limit =>
            {
                using var status = JsonDocument.Parse(await cluster.Frontends[0].Http.GetStringAsync(new Uri("/v1/status", UriKind.Relative), limit));
                return status.RootElement.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("name").GetString()).Distinct().Count() == silos;
            },
            Eventually.Soon,
            "all silos are in the cluster");
        Assert.All(cluster.Silos, silo => Assert.False(silo.Process.HasExited));
    }

    [Fact]
    public async Task Silo_with_the_port_of_another_does_not_start_and_does_not_disturb_it()
    {
        await using var cluster = await DetectionCluster.StartAsync();
        var port = cluster.Silos[0].Settings[DetectionSettings.SiloPort];

        var second = cluster.AddSilo(new Dictionary<string, string?> { [DetectionSettings.SiloPort] = port });

        await second.Process.ExitAsync(TimeSpan.FromSeconds(60));
        Assert.Contains($"Another process listens on port {port}", second.Process.LogTail(), StringComparison.Ordinal);
        using var answer = await cluster.Frontends[0].Http.PostAsync(
            new Uri("/v1/detections", UriKind.Relative), new ByteArrayContent(TestPictures.Unique(7301)) { Headers = { ContentType = new("image/jpeg") } });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(await cluster.Silos[0].IsReadyAsync());
    }
}
