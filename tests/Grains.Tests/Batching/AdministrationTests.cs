using Detection.Client;
using Detection.Contracts.Cluster;
using Detection.Objects;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Tests.Batching;

/// <summary>What administrators tell silos. Without them each of these would happen later than a test waits, or not at all.</summary>
public sealed class AdministrationTests : SiloTest
{
    private const string Later = "00:30:00";

    private readonly ModelFolder _models = new();
    private ServiceProvider _services = null!;

    private IClusterAdministration Administration => _services.GetRequiredService<IClusterAdministration>();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _services = NewClient(out _);
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _services.DisposeAsync();
        await base.DisposeAsync();
        _models.Dispose();
    }

    [Fact]
    public async Task Device_out_of_service_is_tried_again_at_once_when_its_model_is_retried()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(
            Redis, device, ("Detection:DeviceHealth:ProbeInterval", "00:00:01"), ("Detection:DeviceHealth:RetryDelay", Later), ("Detection:DeviceHealth:MaxRetryDelay", Later));
        await DetectAsync(0, 2);
        Assert.Equal(RetryOutcome.Serving, Assert.Single(await Administration.RetryModelAsync("nanodet-g")).Value);
        Assert.Equal(RetryOutcome.NotFound, Assert.Single(await Administration.RetryModelAsync("another")).Value);

        device.Sickness = new InvalidOperationException("Failed to allocate memory for requested buffer of size 8388608");
        await HealthAsync("gated:0", DeviceHealth.Broken);
        var loads = device.Loads;

        // Still sick: it is tried and stays broken.
        Assert.Equal(RetryOutcome.Retrying, Assert.Single(await Administration.RetryModelAsync("nanodet-g")).Value);
        await Eventually.Async(() => device.Loads == loads + 1, Eventually.Soon, "it is tried");
        await HealthAsync("gated:0", DeviceHealth.Broken);

        device.Sickness = null;
        await Administration.RetryModelAsync("nanodet-g");
        await HealthAsync("gated:0", DeviceHealth.Serving);
        await ServedByAsync(1);
        await Eventually.Async(async () => await AnswersAsync(100), Eventually.Soon, "it is asked again");
        await DetectAsync(101, 5);

        async Task<bool> AnswersAsync(int picture)
        {
            try
            {
                return await Client.DetectAsync(TestPictures.Unique(picture), Patient) is not null;
            }
            catch (DetectionException e) when (e.Reason == FailureReason.Unavailable)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Load_that_failed_is_tried_again_at_once_when_it_is_retried_and_other_models_are_served_meanwhile()
    {
        _models.Lay("nanodet-g");
        var device = OpenDevice("gated:0");
        device.FailingLoads.Enqueue(new InvalidOperationException("The card has no memory left."));
        await using var silo = await TestSilo.StartAsync(Redis, device, _models.Settings);
        await DetectAsync(0, 2);

        _models.Lay("second", threshold: 0.3);
        await ProblemAsync("second", "The card has no memory left.");
        await DetectAsync(10, 2);

        Assert.Equal(RetryOutcome.Retrying, Assert.Single(await Administration.RetryModelAsync("second")).Value);
        await ServedAsync("second");
        await ProblemAsync("second", null);
        Assert.StartsWith("second@", (await Client.DetectAsync(TestPictures.Unique(20), Patient with { Model = "second" })).Model, StringComparison.Ordinal);
        await DetectAsync(30, 2);
    }

    [Fact]
    public async Task Files_that_could_not_be_read_are_read_again_at_once_when_their_model_is_retried_though_they_look_the_same()
    {
        _models.Lay("nanodet-g");
        _models.Lay("second", threshold: 0.3);
        var file = Path.Combine(_models.Path, "second", "model.onnx");
        var good = await File.ReadAllBytesAsync(file);
        await ReplaceAsync([.. Enumerable.Repeat((byte)7, good.Length)]);
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device, [.. _models.Settings, ("Detection:Models:RescanInterval", "00:00:01")]);
        await ProblemAsync("second", "not an ONNX model");

        await ReplaceAsync(good);
        Assert.Equal(RetryOutcome.Retrying, Assert.Single(await Administration.RetryModelAsync("second")).Value);
        await ServedAsync("second");
        await ProblemAsync("second", null);
        await Client.DetectAsync(TestPictures.Unique(1), Patient with { Model = "second" });

        // The same size and time: as a share shows them whose content was not there for a moment.
        async Task ReplaceAsync(byte[] content)
        {
            var other = Path.Combine(_models.Path, "other");
            await File.WriteAllBytesAsync(other, content);
            File.SetLastWriteTimeUtc(other, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
            File.Move(other, file, overwrite: true);
        }
    }

    [Fact]
    public async Task Drained_silo_ends_what_is_on_its_device_and_leaves_the_rest_to_another()
    {
        var first = new GatedDevice("gated:first");
        await using var drained = await TestSilo.StartAsync(Redis, first, ("Detection:Batching:MaxBatch", "2"), ("Detection:Silo:Name", "first"));
        var waiting = DetectAsync(0, 12);
        await Eventually.Async(() => !first.Batches.IsEmpty, Eventually.Soon, "pictures are on the device");

        Assert.False(await Administration.DrainAsync("second"));
        Assert.True(await Administration.DrainAsync("first"));
        await Eventually.Async(async () => (await Reports.GetSilosAsync())[0].IsDrained, Eventually.Soon, "it says that it is drained");
        Assert.Contains("was drained by an administrator", await drained.HealthAsync(), StringComparison.Ordinal);
        Assert.Empty(await Client.GetModelsAsync());
        first.Open();
        await Eventually.Async(async () => (await Reports.GetSilosAsync())[0].Batchers.Count == 0, Eventually.Soon, "its batcher has ended");
        Assert.Equal(0, first.Sessions);
        Assert.False(waiting.IsCompleted);
        var batches = first.Batches.Count;

        // Accepted although nobody serves the model now: the silo may be started again, or another.
        var later = DetectAsync(20, 3);
        var second = OpenDevice("gated:second");
        await using var other = await TestSilo.StartAsync(Redis, second, ("Detection:Silo:Name", "second"));
        Assert.Equal(15, (await waiting).Concat(await later).DistinctBy(answer => answer.ImageKey).Count());
        Assert.Equal(batches, first.Batches.Count);
        await ServedByAsync(1);
        Assert.Equal(0, await CountDeadAsync());

        // Twice is no more than once, and there is nothing to retry on it.
        Assert.True(await Administration.DrainAsync("first"));
        var outcomes = await Administration.RetryModelAsync("nanodet-g");
        Assert.Equal((RetryOutcome.Drained, RetryOutcome.Serving), (outcomes["first"], outcomes["second"]));
        await DetectAsync(30, 5);
        Assert.Equal(batches, first.Batches.Count);
    }

    private Task ServedAsync(string model) =>
        Eventually.Async(async () => (await Client.GetModelsAsync()).Any(served => served.Name == model), Eventually.Soon, $"{model} is served");

    private Task ProblemAsync(string model, string? problem) => Eventually.Async(
        async () => (await Reports.GetSilosAsync()).Any(silo => problem is null
            ? silo.ModelProblems?.ContainsKey(model) != true
            : silo.ModelProblems?.GetValueOrDefault(model)?.Contains(problem, StringComparison.Ordinal) == true),
        Eventually.Soon,
        $"the problem of {model} is {problem ?? "gone"}");
}
