using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Grains.Health;
using Detection.Inference.Graphs;
using Detection.Objects;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Tests.Batching;

public sealed class SickDeviceTests : SiloTest
{
    private static readonly InvalidOperationException OutOfMemory = new("Failed to allocate memory for requested buffer of size 8388608");

    [Fact]
    public async Task Sick_device_beside_a_sound_one_causes_no_error_and_serves_after_recovery()
    {
        var sick = OpenDevice("gated:sick");
        var sound = OpenDevice("gated:sound");
        await using var first = await TestSilo.StartAsync(Redis, sick, ("Detection:DeviceHealth:RetryDelay", "00:00:01"), ("Detection:DeviceHealth:MaxRetryDelay", "00:00:01"));
        await using var second = await TestSilo.StartAsync(Redis, sound);
        await DetectAsync(0, 8);
        await ServedByAsync(2);

        sick.Sickness = OutOfMemory;
        var answers = await DetectAsync(100, 60);
        Assert.All(answers, answer => Assert.Equal(AnswerSource.Computed, answer.Source));
        await HealthAsync("sick", DeviceHealth.Broken);

        // It claims nothing, adds no capacity, and its health is reported.
        var before = sick.Batches.Count;
        await DetectAsync(200, 20);
        Assert.Equal(before, sick.Batches.Count);
        var report = (await ReportAsync("sick"))!;
        Assert.Equal((false, 0.0), (report.Works, report.Rate));
        Assert.Contains("Failed to allocate memory", report.Ailment, StringComparison.Ordinal);
        Assert.True(report.DeviceErrors >= 3, $"{report.DeviceErrors} errors");
        var health = await first.HealthAsync();
        Assert.StartsWith("Unhealthy: No device is in service.", health, StringComparison.Ordinal);
        Assert.Contains("does not serve nanodet-g@", health, StringComparison.Ordinal);
        Assert.StartsWith("Healthy", await second.HealthAsync(), StringComparison.Ordinal);

        sick.Sickness = null;
        await HealthAsync("sick", DeviceHealth.Serving);
        await DetectAsync(300, 20);
        await Eventually.Async(
            async () =>
            {
                await DetectAsync(Random.Shared.Next(1_000_000) + 1000, 8);
                return sick.Batches.Count > before;
            },
            Eventually.Soon,
            "the device works again");
        Assert.StartsWith("Healthy", await first.HealthAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Single_device_healed_by_a_reload_loses_no_picture()
    {
        var device = OpenDevice("gated:0");
        device.HealsByLoading = true;
        await using var silo = await TestSilo.StartAsync(Redis, device);
        await DetectAsync(0, 4);

        device.Sickness = OutOfMemory;
        Assert.Equal(10, (await DetectAsync(100, 10)).Count);
        Assert.Equal(2, device.Loads);
        Assert.Equal(0, await CountDeadAsync());
    }

    [Fact]
    public async Task Broken_single_device_refuses_requests_before_their_deadline_until_it_recovers()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device, ("Detection:DeviceHealth:RetryDelay", "00:00:02"), ("Detection:DeviceHealth:MaxRetryDelay", "00:00:02"));
        var known = (await DetectAsync(0, 1))[0];
        device.Sickness = OutOfMemory;

        // Callers that wait while it breaks, and callers that come after that.
        var waiting = await Task.WhenAll(Enumerable.Range(100, 10).Select(RefusedAsync));
        await HealthAsync("gated:0", DeviceHealth.Broken);
        Assert.All([.. waiting, await RefusedAsync(200)], refused =>
        {
            Assert.Equal((FailureReason.Unavailable, $"Every device that serves '{known.Model}' is broken."), (refused.Reason, refused.Message));
            Assert.True(refused.RetryAfter > TimeSpan.Zero, $"{refused.RetryAfter}");
        });
        await using var redis = await Redis.ConnectAsync();
        Assert.Equal(0, await redis.GetDatabase().ListLengthAsync(Keys.Queue(known.Model)));
        Assert.Equal(AnswerSource.Cached, (await DetectAsync(0, 1))[0].Source);

        device.Sickness = null;
        await HealthAsync("gated:0", DeviceHealth.Serving);
        await Eventually.Async(async () => await DetectsAsync(300), Eventually.Soon, "it is asked again");
        await DetectAsync(301, 10);

        async Task<DetectionException> RefusedAsync(int picture) =>
            await Assert.ThrowsAsync<DetectionException>(() => Client.DetectAsync(TestPictures.Unique(picture), Patient));

        async Task<bool> DetectsAsync(int picture)
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
    public async Task Device_with_wrong_outputs_is_detected_by_the_test_picture()
    {
        var blind = OpenDevice("gated:blind");
        var sound = OpenDevice("gated:sound");
        await using var first = await TestSilo.StartAsync(Redis, blind, ("Detection:DeviceHealth:ProbeInterval", "00:00:01"));
        await using var second = await TestSilo.StartAsync(Redis, sound);
        await DetectAsync(0, 8);

        blind.IsBlind = true;
        await HealthAsync("blind", DeviceHealth.Broken);

        Assert.All(await DetectAsync(100, 20), answer => Assert.Single(answer.Objects));
        Assert.Contains("boxes that the test picture had", (await ReportAsync("blind"))!.Ailment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Result_of_a_device_with_wrong_outputs_is_not_published()
    {
        var blind = new GatedDevice("gated:blind");
        await using var first = await TestSilo.StartAsync(
            Redis, blind, ("Detection:DeviceHealth:ProbeInterval", "00:00:01"), ("Detection:Batching:DrainTimeout", "00:00:30"));
        var waiting = Client.DetectAsync(TestPictures.Unique(1), Patient);
        await Eventually.Async(() => blind.Batches.Count == 1, Eventually.Soon, "the picture is on the device");
        blind.IsBlind = true;
        await HealthAsync("blind", DeviceHealth.Quarantined);
        blind.Open();

        var sound = OpenDevice("gated:sound");
        await using var second = await TestSilo.StartAsync(Redis, sound);
        Assert.Single((await waiting).Objects);
        Assert.Single(sound.Batches);
    }

    [Fact]
    public async Task Device_that_does_not_answer_the_test_picture_is_out_of_service()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(
            Redis,
            device,
            ("Detection:DeviceHealth:ProbeInterval", "00:00:01"),
            ("Detection:DeviceHealth:ProbeTimeout", "00:00:01"),
            ("Detection:Batching:DrainTimeout", "00:00:01"));
        device.IsSilent = true;
        await HealthAsync("gated:0", DeviceHealth.Broken);
        Assert.Contains("no answer within 1 s", (await ReportAsync("gated:0"))!.Ailment, StringComparison.Ordinal);
        device.IsSilent = false;
    }

    [Fact]
    public async Task Slow_decoding_puts_no_device_out_of_service()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(
            Redis,
            device,
            ("Detection:DeviceHealth:ProbeInterval", "00:00:01"),
            ("Detection:DeviceHealth:ProbeTimeout", "00:00:01"),
            ("Detection:Batching:StuckAfter", "00:00:01"),
            ("Detection:Batching:DrainTimeout", "00:00:01"),
            ("Detection:Queue:Lease", "00:00:01"));
        await DetectAsync(0, 2);
        for (var round = 1; round <= 2; round++)
        {
            var (batches, probes) = (device.Batches.Count, device.Probes);
            var decoding = device.Decoding = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var waiting = DetectAsync(100 * round, 1);
            await Eventually.Async(() => device.Batches.Count > batches && device.Probes > probes + 3, Eventually.Soon, "three test pictures were given up");
            var report = (await ReportAsync("gated:0"))!;
            Assert.Equal((DeviceHealth.Serving, 0L, BatcherState.Busy), (report.Health, report.DeviceErrors, report.State));
            Assert.StartsWith("Healthy", await silo.HealthAsync(), StringComparison.Ordinal);

            device.Decoding = null;
            decoding.SetResult();
            Assert.Equal(AnswerSource.Computed, Assert.Single(await waiting).Source);
            Assert.Equal(batches + 1, device.Batches.Count);
            await DetectAsync((100 * round) + 1, 4);
        }

        Assert.Equal(1, device.Loads);
    }

    [Fact]
    public async Task Device_is_reloaded_as_soon_as_its_last_picture_is_decoded()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(
            Redis,
            device,
            ("Detection:DeviceHealth:ProbeInterval", "00:00:01"),
            ("Detection:DeviceHealth:ProbeTimeout", "00:00:03"),
            ("Detection:DeviceHealth:RetryDelay", "00:00:01"),
            ("Detection:DeviceHealth:MaxRetryDelay", "00:00:01"),
            ("Detection:Batching:DrainTimeout", "00:00:01"));
        await DetectAsync(0, 2);
        for (var round = 1; round <= 2; round++)
        {
            var batches = device.Batches.Count;
            var decoding = device.Decoding = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var waiting = DetectAsync(100 * round, 1);
            await Eventually.Async(() => device.Batches.Count > batches, Eventually.Soon, "the picture is decoded");
            (device.IsBlind, device.Decoding) = (true, null);
            await HealthAsync("gated:0", DeviceHealth.Reloading);

            // Several times as long as a hung run would be waited for.
            await Task.Delay(TimeSpan.FromSeconds(4));
            Assert.Equal(DeviceHealth.Reloading, (await ReportAsync("gated:0"))!.Health);
            device.IsBlind = false;
            decoding.SetResult();
            await HealthAsync("gated:0", DeviceHealth.Serving);
            Assert.Single(Assert.Single(await waiting).Objects);
            await DetectAsync((100 * round) + 1, 4);
            Assert.Equal(round + 1, device.Loads);
        }

        Assert.Equal(2, (await ReportAsync("gated:0"))!.DeviceErrors);
    }

    [Fact]
    public async Task Process_without_memory_counts_no_attempt_and_no_error_of_the_device()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device);
        await DetectAsync(0, 2);
        device.Failure = new InsufficientMemoryException();
        device.Failures = 5;
        Assert.Equal(AnswerSource.Computed, Assert.Single(await DetectAsync(100, 1)).Source);
        Assert.Equal(0, device.Failures);

        // The following failures have two attempts left, as for any other picture.
        device.Failure = OutOfMemory;
        device.Failures = 2;
        Assert.Equal(AnswerSource.Computed, Assert.Single(await DetectAsync(101, 1)).Source);
        await DetectAsync(102, 4);
        Assert.Equal((1, 0), (device.Loads, await CountDeadAsync()));
    }

    [Fact]
    public async Task Pictures_that_fail_on_every_device_put_none_out_of_service_and_fail_alone()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device);
        await DetectAsync(0, 2);
        for (var i = 0; i < 5; i++)
        {
            device.Failures = 3;
            var failure = await Assert.ThrowsAsync<DetectionException>(() => Client.DetectAsync(TestPictures.Unique(100 + i), Patient));
            Assert.Equal(FailureReason.Inference, failure.Reason);
            Assert.Equal(2, (await DetectAsync(200 + (2 * i), 2)).Count);
        }

        Assert.Equal(1, device.Loads);
        Assert.Equal(5, await CountDeadAsync());
        Assert.Equal(DeviceHealth.Serving, (await ReportAsync("gated:0"))!.Health);
    }

    [Fact]
    public async Task Error_that_needs_a_new_process_stops_the_silo()
    {
        var sick = OpenDevice("gated:sick");
        var sound = OpenDevice("gated:sound");
        await using var first = await TestSilo.StartAsync(Redis, sick);
        await using var second = await TestSilo.StartAsync(Redis, sound);
        await DetectAsync(0, 8);
        await ServedByAsync(2);

        sick.Sickness = new InvalidOperationException("CUDA failure 700: an illegal memory access was encountered ; GPU=0");
        Assert.Equal(40, (await DetectAsync(100, 40)).Count);
        await Eventually.Async(() => first.Stopping.IsCancellationRequested, Eventually.Soon, "the silo stops");
        Assert.True(first.Services.GetRequiredService<SiloShutdown>().IsRequested);
        Assert.Equal(1, sick.Loads);
        Assert.False(second.Stopping.IsCancellationRequested);
    }

    [Fact]
    public async Task Run_that_cannot_be_ended_stops_the_silo_without_a_wait()
    {
        var hanging = new GatedDevice("gated:hanging");
        var first = await TestSilo.StartAsync(Redis, hanging, ("Detection:Batching:DrainTimeout", "00:10:00"));
        var waiting = Client.DetectAsync(TestPictures.Unique(1), Patient);
        await Eventually.Async(() => hanging.Batches.Count == 1, Eventually.Soon, "the picture is on the device");

        hanging.Unending.SetResult();
        await Eventually.Async(() => first.Stopping.IsCancellationRequested, Eventually.Soon, "the silo stops");
        Assert.True(first.Services.GetRequiredService<SiloShutdown>().IsRequested);
        await first.DisposeAsync();

        var sound = OpenDevice("gated:sound");
        await using var second = await TestSilo.StartAsync(Redis, sound);
        Assert.Single((await waiting).Objects);
    }

    [Fact]
    public async Task Picture_whose_runs_do_not_end_fails_and_the_model_continues_to_serve()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device);
        await DetectAsync(0, 2);
        for (var i = 0; i < 3; i++)
        {
            device.Failure = new RunTimeoutException(TimeSpan.FromSeconds(7));
            device.Failures = 3;
            var failure = await Assert.ThrowsAsync<DetectionException>(() => Client.DetectAsync(TestPictures.Unique(100 + i), Patient));
            Assert.Equal(FailureReason.Inference, failure.Reason);
            Assert.Contains("its run did not end within 7 s and was ended", failure.Message, StringComparison.Ordinal);
            Assert.Equal(2, (await DetectAsync(200 + (2 * i), 2)).Count);
        }

        Assert.Equal(1, device.Loads);
        Assert.Equal(DeviceHealth.Serving, (await ReportAsync("gated:0"))!.Health);
    }

    [Fact]
    public async Task EndSilo_stops_the_silo_of_a_broken_device()
    {
        var device = OpenDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(
            Redis, device, ("Detection:DeviceHealth:WhenBroken", "EndSilo"), ("Detection:DeviceHealth:ProbeInterval", "00:00:01"));
        device.Sickness = OutOfMemory;
        await Eventually.Async(() => silo.Stopping.IsCancellationRequested, Eventually.Soon, "the silo stops");
        Assert.Equal(2, device.Loads);
    }
}
