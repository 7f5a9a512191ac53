using Detection.Client;
using Detection.Contracts.Cluster;

namespace Detection.Grains.Tests.Batching;

/// <summary>A model's file changes while its device is out of service.</summary>
public sealed class LostModelTests : SiloTest
{
    private static readonly InvalidOperationException OutOfMemory = new("Failed to allocate memory for requested buffer of size 8388608");

    private readonly DirectoryInfo _models = Directory.CreateTempSubdirectory("detection-lost-models-");

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        _models.Delete(recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Model_restored_or_replaced_while_its_device_was_sick_is_loaded_again(bool replaced)
    {
        var folder = Path.Combine(_models.FullName, "nanodet-g");
        Write(folder, threshold: null);
        var device = OpenDevice("gated:0");

        // The second attempt on the broken device is later than this test waits.
        await using var silo = await TestSilo.StartAsync(
            Redis,
            device,
            ("Detection:Models:Directory", _models.FullName),
            ("Detection:Models:RescanInterval", "00:00:01"),
            ("Detection:DeviceHealth:ProbeInterval", "00:00:01"),
            ("Detection:DeviceHealth:RetryDelay", "00:30:00"),
            ("Detection:DeviceHealth:MaxRetryDelay", "00:30:00"));
        await DetectAsync(0, 2);
        var before = await ModelAsync();

        Directory.Delete(folder, recursive: true);
        device.Sickness = OutOfMemory;
        await HealthAsync("gated:0", DeviceHealth.Broken);
        Assert.Contains("file was replaced", (await ReportAsync("gated:0"))!.Ailment, StringComparison.Ordinal);
        device.Sickness = null;
        Write(folder, replaced ? 0.5f : null);

        await Eventually.Async(
            async () => await ReportAsync("gated:0") is { Works: true, Health: DeviceHealth.Serving } && replaced == (before != await ModelAsync()),
            Eventually.Soon,
            "the model is served again");
        var number = 100;
        await Eventually.Async(
            async () => (await Client.DetectAsync(TestPictures.Unique(number++), new DetectionOptions { Deadline = TimeSpan.FromSeconds(2) })).Objects.Count == 1,
            Eventually.Soon,
            "pictures are answered");
        Assert.Equal((2, 1), (device.Loads, device.Sessions));
    }

    private static void Write(string folder, float? threshold)
    {
        Directory.CreateDirectory(folder);
        var source = Path.Combine(Repository.Root, "models", "nanodet-g");
        File.Copy(Path.Combine(source, "model.onnx"), Path.Combine(folder, "model.onnx"));
        var manifest = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(source, "model.json")))!;
        if (threshold is { } value)
        {
            manifest["threshold"] = value;
        }

        File.WriteAllText(Path.Combine(folder, "model.json"), manifest.ToJsonString());
    }
}
