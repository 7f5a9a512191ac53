using Detection.Client;
using Detection.Contracts.Cluster;
using Detection.Inference.Manifest;

namespace Detection.Grains.Tests.Batching;

/// <summary>Models whose graphs return invalid outputs, such as exports without their last activation.</summary>
public sealed class InvalidOutputTests : SiloTest
{
    private static readonly ModelException InvalidOutput = new("the graph answers the score 1.4, and scores go from 0 to 1; correct its manifest.");

    [Fact]
    public async Task Model_with_invalid_outputs_only_is_reported_at_load_and_fails_each_picture()
    {
        var device = OpenDevice("gated:0");
        device.Sickness = InvalidOutput;
        await using var silo = await TestSilo.StartAsync(Redis, device);

        await ToldAsync();
        await Assert.ThrowsAsync<DetectionException>(() => DetectAsync(1, 1));
        Assert.Equal(DeviceHealth.Serving, (await ReportAsync("gated:0"))!.Health);
        Assert.Contains("the graph answers the score 1.4", await silo.HealthAsync(), StringComparison.Ordinal);
        Assert.StartsWith("Healthy", await silo.HealthAsync(), StringComparison.Ordinal);
        Assert.Equal((1, 1), (device.Loads, device.Batches.Count));
    }

    [Fact]
    public async Task Model_with_some_invalid_outputs_is_reported_and_serves_other_pictures()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device);
        Assert.Equal(2, (await DetectAsync(0, 2)).Count);
        Assert.Empty(SiloReport.ModelProblemsOf(await Reports.GetSilosAsync()));

        // Every attempt at one picture fails, but the test picture succeeds: no device is at fault.
        for (var i = 0; i < 4; i++)
        {
            device.Failure = InvalidOutput;
            device.Failures = 3;
            var failure = await Assert.ThrowsAsync<DetectionException>(() => DetectAsync(100 + i, 1));
            Assert.Contains("correct its manifest", failure.Message, StringComparison.Ordinal);
            Assert.All(await DetectAsync(200 + (2 * i), 2), answer => Assert.Single(answer.Objects));
        }

        await ToldAsync();
        Assert.StartsWith("Healthy", await silo.HealthAsync(), StringComparison.Ordinal);
        Assert.Equal((DeviceHealth.Serving, 1), ((await ReportAsync("gated:0"))!.Health, device.Loads));
    }

    private Task ToldAsync() => Eventually.Async(
        async () => SiloReport.ModelProblemsOf(await Reports.GetSilosAsync()).TryGetValue("nanodet-g", out var problem)
            && problem.StartsWith("The model nanodet-g@", StringComparison.Ordinal) && problem.Contains("the graph answers the score 1.4", StringComparison.Ordinal),
        Eventually.Soon,
        "the model's problem is told");
}
