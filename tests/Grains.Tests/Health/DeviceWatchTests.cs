using Detection.Contracts.Cluster;
using Detection.Grains.Health;
using Detection.Grains.Placement;
using Detection.Inference.Devices;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Objects;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Detection.Grains.Tests.Health;

public sealed class DeviceWatchTests : IDisposable
{
    private static readonly InvalidOperationException OutOfMemory = new("Failed to allocate memory for requested buffer of size 8388608");
    private static readonly AnsweringSession Well = AnsweringSession.Finding(new DetectedObject(0, 0.9f, 1, 2, 30, 40));
    private static readonly AnsweringSession Sick = AnsweringSession.Failing(OutOfMemory);
    private static readonly AnsweringSession Blind = AnsweringSession.Finding();

    private readonly ServiceProvider _services = new ServiceCollection()
        .AddLogging()
        .AddMetrics()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
        .AddSingleton(TimeProvider.System)
        .AddSingleton<IHostApplicationLifetime, Lifetime>()
        .AddDeviceHealth()
        .BuildServiceProvider();

    private readonly DeviceWatch _watch;

    public DeviceWatchTests() => _watch = _services.GetRequiredService<DeviceWatchFactory>().Create(new BatcherKey("node/0", "model@1"), 0.05f);

    private DeviceHealth State => _watch.Tracker.State;

    private bool SiloEnds => _services.GetRequiredService<SiloShutdown>().IsRequested;

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Alternating_errors_and_successes_keep_a_device_in_service()
    {
        await _watch.ProbeAsync(Well);
        for (var i = 0; i < 20; i++)
        {
            _watch.Ended(0, 1, OutOfMemory);
            Assert.Equal(DeviceHealth.Suspect, State);
            Assert.True(await _watch.CanClaimAsync(Well, default));
            Assert.Equal(DeviceHealth.Serving, State);
        }

        Assert.Equal(20, _watch.Tracker.Errors);
    }

    [Fact]
    public async Task Model_that_cannot_find_anything_is_reported_and_its_device_serves()
    {
        var factory = _services.GetRequiredService<DeviceWatchFactory>();
        var watch = factory.Create(new BatcherKey("node/0", "model@1"), 0.05f, "yolov8");
        await watch.ProbeAsync(Blind);
        await watch.ProbeAsync(Blind);

        Assert.StartsWith("The model model@1 finds nothing: in a known picture and in a picture of noise there is no box", watch.InvalidOutput, StringComparison.Ordinal);
        Assert.Equal(DeviceHealth.Serving, watch.Tracker.State);

        var sound = factory.Create(new BatcherKey("node/0", "model@2"), 0.05f, "yolov8");
        await sound.ProbeAsync(Well);
        Assert.Null(sound.InvalidOutput);
    }

    [Fact]
    public async Task Three_errors_quarantine_only_without_a_success_between_them()
    {
        await _watch.ProbeAsync(Well);
        _watch.Ended(0, 1, OutOfMemory);
        await _watch.ProbeAsync(Sick);
        await _watch.ProbeAsync(Well);
        _watch.Ended(0, 1, OutOfMemory);
        await _watch.ProbeAsync(Sick);
        Assert.Equal(DeviceHealth.Suspect, State);

        // Pictures that succeed in the same batch as a failed one count as a success before it.
        _watch.Ended(5, 1, OutOfMemory);
        Assert.Equal(DeviceHealth.Suspect, State);
        await _watch.ProbeAsync(Sick);
        Assert.Equal(DeviceHealth.Suspect, State);
        await _watch.ProbeAsync(Sick);

        Assert.Equal(DeviceHealth.Quarantined, State);
        Assert.False(await _watch.CanClaimAsync(Well, default));
        Assert.Equal(DeviceHealth.Quarantined, State);
    }

    [Fact]
    public async Task Device_with_wrong_outputs_is_detected_each_time()
    {
        await _watch.ProbeAsync(Well);
        for (var i = 0; i < 3; i++)
        {
            await _watch.ProbeAsync(Blind);
            Assert.Equal(DeviceHealth.Quarantined, State);
            Assert.False(await _watch.CanClaimAsync(Well, default));

            _watch.Tracker.Reload();
            Assert.Equal(ProbeVerdict.Blind, (await _watch.ProbeAsync(Blind)).Verdict);
            _watch.Tracker.Break("still blind");
            _watch.Tracker.Reload();
            Assert.Equal(ProbeVerdict.Sound, (await _watch.ProbeAsync(Well)).Verdict);
            Assert.Equal(DeviceHealth.Reloading, State);
            _watch.Tracker.Recovered();
            Assert.True(await _watch.CanClaimAsync(Well, default));
        }
    }

    // triton-inference-server/server #3627, onnxruntime_backend #365: every later request fails, while readiness stays green.
    [Fact]
    public async Task Error_of_a_suspect_device_that_needs_a_new_process_stops_the_silo()
    {
        await _watch.ProbeAsync(Well);
        _watch.Ended(0, 1, OutOfMemory);
        Assert.False(SiloEnds);
        _watch.Ended(3, 1, new InvalidOperationException("CUDA failure 700: an illegal memory access was encountered ; GPU=0"));

        Assert.Equal(DeviceHealth.Quarantined, State);
        Assert.True(SiloEnds);
        Assert.False(await _watch.CanClaimAsync(Well, default));
    }

    [Fact]
    public async Task InvalidOutput_keeps_the_first_and_quarantines_no_device()
    {
        Assert.Null(_watch.InvalidOutput);
        await _watch.ProbeAsync(AnsweringSession.Failing(new ModelException("the graph answers the score 1.4.")));
        await _watch.ProbeAsync(Well);
        _watch.ReportInvalidOutput(new ModelException("the graph answers NaN."));

        Assert.Equal("The model model@1 fails on pictures, on some or on all: the graph answers the score 1.4.", _watch.InvalidOutput);
        Assert.Equal((DeviceHealth.Serving, 0), (State, _watch.Tracker.Errors));
    }

    [Fact]
    public async Task IsDeviceError_depends_on_the_exception_and_on_earlier_sound_boxes()
    {
        var invalid = new ModelException("the graph answers NaN instead of numbers.");
        Assert.False(_watch.IsDeviceError(invalid));
        await _watch.ProbeAsync(Well);
        Assert.True(_watch.IsDeviceError(invalid));
        Assert.False(_watch.IsDeviceError(new PictureException(FailureReason.Undecodable, "It is damaged.")));
        Assert.False(_watch.IsDeviceError(new WrongPictureException()));
        Assert.False(_watch.IsDeviceError(new InsufficientMemoryException()));
        Exception[] others =
        [
            OutOfMemory, new TimeoutException(), new OperationCanceledException(), new TaskCanceledException(), new ObjectDisposedException("session"),
            new AggregateException(OutOfMemory), new ArgumentOutOfRangeException("index"), new IOException(), new DllNotFoundException(),
        ];
        Assert.All(others, error => Assert.True(_watch.IsDeviceError(error)));
    }

    [Fact]
    public async Task Process_without_memory_is_no_device_error_and_the_test_is_repeated()
    {
        await _watch.ProbeAsync(Well);
        for (var round = 0; round < 5; round++)
        {
            Assert.Equal(ProbeVerdict.NotTried, (await _watch.ProbeAsync(AnsweringSession.Failing(new InsufficientMemoryException()))).Verdict);
            Assert.Equal((DeviceHealth.Serving, round), (State, _watch.Tracker.Errors));

            _watch.Ended(0, 1, OutOfMemory);
            var left = 2;
            var answering = new AnsweringSession(work => left-- > 0
                ? new PictureOutcome(OutcomeKind.Failed, 0, 0, [], new InsufficientMemoryException(), default, default, default, default)
                : new PictureOutcome(OutcomeKind.Detected, 416, 312, [new DetectedObject(0, 0.9f, 1, 2, 30, 40)], null, default, default, default, default));
            Assert.True(await _watch.CanClaimAsync(answering, default));
            Assert.Equal((DeviceHealth.Serving, round + 1, -1), (State, _watch.Tracker.Errors, left));
        }
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication()
        {
        }
    }
}
