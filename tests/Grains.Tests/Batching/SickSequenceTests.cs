using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Inference.Manifest;
using Detection.Objects;

namespace Detection.Grains.Tests.Batching;

/// <summary>Devices that fail one after another, together, and repeatedly.</summary>
public sealed class SickSequenceTests : SiloTest
{
    private static readonly InvalidOperationException OutOfMemory = new("Failed to allocate memory for requested buffer of size 8388608");

    private static readonly (string, string)[] Quick =
        [("Detection:DeviceHealth:ProbeInterval", "00:00:01"), ("Detection:DeviceHealth:RetryDelay", "00:00:01"), ("Detection:DeviceHealth:MaxRetryDelay", "00:00:01")];

    [Fact]
    public async Task Devices_that_fail_together_lose_no_picture_while_another_works()
    {
        // As when the driver of a machine with many cards fails.
        GatedDevice[] sick = [.. Enumerable.Range(0, 5).Select(i => OpenDevice($"gated:sick{i}"))];
        var sound = new GatedDevice("gated:sound");
        await using var second = await TestSilo.StartAsync(Redis, sound);
        var first = DetectAsync(0, 1);
        await Eventually.Async(() => sound.Batches.Count == 1, Eventually.Soon, "the sound device is busy");
        await using var others = await TestSilo.StartAsync(Redis, sick);
        await ServedByAsync(6);
        foreach (var device in sick)
        {
            device.Sickness = OutOfMemory;
        }

        var waiting = DetectAsync(100, 1);
        foreach (var device in sick)
        {
            await HealthAsync(device.Name, DeviceHealth.Broken);
            Assert.NotEmpty(device.Batches);
        }

        sound.Open();
        Assert.Single(await waiting);
        await first;
        Assert.Equal(0, await CountDeadAsync());
    }

    [Fact]
    public async Task Recovered_one_of_two_sick_devices_processes_all_waiting_pictures()
    {
        GatedDevice[] devices = [OpenDevice("gated:one"), OpenDevice("gated:two")];
        await using var silo = await TestSilo.StartAsync(Redis, devices, Quick);
        await DetectAsync(0, 4);
        await ServedByAsync(2);

        devices[0].Sickness = devices[1].Sickness = OutOfMemory;
        var waiting = AskUntilAnsweredAsync(100, 10);
        await HealthAsync("one", DeviceHealth.Broken);
        await HealthAsync("two", DeviceHealth.Broken);
        Assert.StartsWith("Unhealthy: No device is in service.", await silo.HealthAsync(), StringComparison.Ordinal);
        Assert.False(waiting.IsCompleted);
        var before = devices[1].Batches.Count;

        devices[0].Sickness = null;
        Assert.Equal(10, (await waiting).Length);
        Assert.Equal(before, devices[1].Batches.Count);
        Assert.Equal(0, await CountDeadAsync());
        Assert.DoesNotContain("No device is in service", await silo.HealthAsync(), StringComparison.Ordinal);

        devices[1].Sickness = null;
        await ServedByAsync(2);
        Assert.StartsWith("Healthy", await silo.HealthAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_reload_is_retried_and_leaves_no_session()
    {
        var device = OpenDevice("gated:0");
        device.HealsByLoading = true;
        await using var silo = await TestSilo.StartAsync(Redis, device, Quick);
        await DetectAsync(0, 2);
        for (var i = 1; i <= 2; i++)
        {
            device.FailingLoads.Enqueue(OutOfMemory);
            device.FailingLoads.Enqueue(new ModelException("The model cannot be run."));
            device.FailingLoads.Enqueue(new OperationCanceledException());
            device.Sickness = OutOfMemory;

            Assert.Equal(10, (await AskUntilAnsweredAsync(100 * i, 10)).Length);
            Assert.Equal(1 + (4 * i), device.Loads);
            Assert.Equal(1, device.Sessions);
            await HealthAsync("gated:0", DeviceHealth.Serving);
        }

        Assert.Equal(0, await CountDeadAsync());
    }

    [Fact]
    public async Task Items_of_a_breaking_device_move_to_another_without_an_attempt()
    {
        var breaking = new GatedDevice("gated:breaking");
        await using var first = await TestSilo.StartAsync(Redis, breaking, [.. Quick, ("Detection:Batching:DrainTimeout", "00:00:30")]);
        var waiting = DetectAsync(1, 1);
        await Eventually.Async(() => breaking.Batches.Count == 1, Eventually.Soon, "the picture is on the device");
        breaking.Sickness = OutOfMemory;
        await HealthAsync("breaking", DeviceHealth.Quarantined);
        var sound = new GatedDevice("gated:sound");
        await using var second = await TestSilo.StartAsync(Redis, sound);
        await ServedByAsync(1);
        breaking.Open();
        await Eventually.Async(() => sound.Batches.Count == 1, Eventually.Soon, "the other device has the picture");
        await using var redis = await Redis.ConnectAsync();
        Assert.Equal(0, await redis.GetDatabase().HashLengthAsync(Keys.Attempts(await ModelAsync())));
        Assert.Single(breaking.Batches);

        sound.Open();
        Assert.Equal(AnswerSource.Computed, Assert.Single(await waiting).Source);
        Assert.Single(sound.Batches);
    }

    [Fact]
    public async Task Pictures_are_retried_after_any_exception_of_a_run()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device);
        await DetectAsync(0, 2);
        Exception[] errors =
        [
            OutOfMemory, new InsufficientMemoryException(), new TimeoutException(), new OperationCanceledException(), new TaskCanceledException(), new ObjectDisposedException("session"),
            new AggregateException(OutOfMemory, new IOException()), new ModelException("the graph answers NaN instead of numbers."), new NotSupportedException(),
            new StackExchange.Redis.RedisException("not of Redis, for once"),
        ];
        for (var i = 0; i < errors.Length; i++)
        {
            device.Failure = errors[i];
            device.Failures = 1;
            var answers = await DetectAsync(100 + (10 * i), 4);
            Assert.All(answers, answer => Assert.Equal(AnswerSource.Computed, answer.Source));
            Assert.All(await DetectAsync(105 + (10 * i), 2), answer => Assert.Single(answer.Objects));
        }

        Assert.Equal((1, 1), (device.Loads, device.Sessions));
        Assert.Equal(0, await CountDeadAsync());
        await Eventually.Async(
            async () => await ReportAsync("gated:0") is { Health: DeviceHealth.Serving, InFlight: 0 }, Eventually.Soon, "the device serves and holds nothing");
    }

    /// <summary>As callers retry that get "every device is broken".</summary>
    private Task<DetectionAnswer[]> AskUntilAnsweredAsync(int first, int count) => Task.WhenAll(Enumerable.Range(first, count).Select(async number =>
    {
        while (true)
        {
            try
            {
                return await Client.DetectAsync(TestPictures.Unique(number), Patient);
            }
            catch (DetectionException e) when (e.Reason == FailureReason.Unavailable)
            {
                await Task.Delay(200);
            }
        }
    }));
}
