namespace Detection.Testing.Tests;

public sealed class DetectionProcessTests
{
    [Fact]
    public async Task A_cluster_of_processes_gets_ready_and_a_silo_can_be_killed_started_again_and_stopped()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 2, frontends: 0);
        var silo = cluster.Silos[1];
        Assert.True(await silo.IsReadyAsync());
        var killed = silo.Process.Id;

        await silo.KillAsync();
        Assert.Equal(128 + 9, silo.Process.ExitCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => silo.IsReadyAsync());
        Assert.True(await cluster.Silos[0].IsReadyAsync());

        await silo.StartAgainAsync();
        Assert.NotEqual(killed, silo.Process.Id);
        await silo.ReadyAsync();

        Assert.Equal(0, await silo.StopAsync());
    }

    [Fact]
    public async Task Process_that_ends_before_it_is_ready_is_reported_at_once_with_its_log()
    {
        // A silo needs Redis, and ends without it.
        await using var silo = DetectionProcess.StartSilo(new Dictionary<string, string?> { [DetectionSettings.Redis] = null });
        var hopeless = await Assert.ThrowsAsync<ConditionHopelessException>(() => silo.ReadyAsync());
        Assert.Contains("ended before it was ready", hopeless.Message, StringComparison.Ordinal);
        Assert.Contains(DetectionSettings.Redis, hopeless.Message, StringComparison.Ordinal);
    }
}
