using Detection.Grains.Health;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Repository;
using Detection.Objects;

namespace Detection.Grains.Tests.Health;

public sealed class HealthProbeTests
{
    private static readonly DetectedObject[] Boxes =
        [new(11, 0.82f, 38, 28, 162, 152), new(74, 0.53f, 174, 54, 266, 146), new(9, 0.48f, 312, 40, 360, 156), new(2, 0.06f, 0, 0, 20, 20)];

    private readonly HealthProbe _probe = new(0.05f, TimeSpan.FromSeconds(5), new PicturesOnDevice(TimeProvider.System), TimeProvider.System);

    [Fact]
    public async Task Same_boxes_with_numerical_noise_are_sound()
    {
        Assert.Equal(ProbeVerdict.Sound, await TryAsync(Boxes));
        Assert.Equal(ProbeVerdict.Sound, await TryAsync(Boxes));
        Assert.Equal(ProbeVerdict.Sound, await TryAsync([.. Boxes.Select(box => box with { Score = box.Score * 0.97f, X1 = box.X1 + 2, Y2 = box.Y2 - 2 })]));

        // A box near the floor may appear or disappear.
        Assert.Equal(ProbeVerdict.Sound, await TryAsync(Boxes[..3]));
        Assert.Equal(ProbeVerdict.Sound, await TryAsync([.. Boxes, new(5, 0.051f, 1, 1, 9, 9)]));
    }

    [Fact]
    public async Task Other_boxes_are_blind_even_after_a_reload()
    {
        await TryAsync(Boxes);
        Assert.Equal(ProbeVerdict.Blind, await TryAsync([]));
        Assert.Equal(ProbeVerdict.Blind, await TryAsync([]));
        Assert.Equal(ProbeVerdict.Blind, await TryAsync([.. Boxes.Select(box => box with { ClassId = box.ClassId + 1 })]));
        Assert.Equal(ProbeVerdict.Blind, await TryAsync([.. Boxes.Select(box => box with { Score = box.Score * 0.5f })]));
        Assert.Equal(ProbeVerdict.Blind, await TryAsync([.. Boxes.Select(box => box with { X1 = box.X1 + 60, X2 = box.X2 + 60 })]));
        Assert.Equal(ProbeVerdict.Blind, await TryAsync([.. Boxes.Select(box => box with { Score = float.NaN })]));
        Assert.Equal(ProbeVerdict.Sound, await TryAsync(Boxes));
    }

    [Fact]
    public async Task Model_without_clear_boxes_is_compared_by_its_best_guesses()
    {
        // As a model of scratches on metal may answer: below its floor, but the same each time.
        DetectedObject[] guesses = [new(0, 0.004f, 10, 10, 50, 50), new(1, 0.003f, 100, 100, 150, 150)];
        Assert.Equal(ProbeVerdict.Sound, await TryAsync(guesses));
        Assert.Equal(ProbeVerdict.Sound, await TryAsync(guesses));
        Assert.Equal(ProbeVerdict.Blind, await TryAsync([]));
    }

    [Fact]
    public async Task Model_that_finds_nothing_or_refuses_the_picture_is_unknown()
    {
        Assert.Equal(ProbeVerdict.Unknown, await TryAsync([]));
        Assert.Equal(ProbeVerdict.Unknown, await TryAsync(Boxes));
        Assert.False(_probe.IsConclusive);

        var refusing = new HealthProbe(0.05f, TimeSpan.FromSeconds(5), new PicturesOnDevice(TimeProvider.System), TimeProvider.System);
        var refusal = new PictureException(FailureReason.TooLarge, "Too large.");
        Assert.Equal(ProbeVerdict.Unknown, (await refusing.RunAsync(AnsweringSession.Failing(refusal))).Verdict);
        var nonsense = new HealthProbe(0.05f, TimeSpan.FromSeconds(5), new PicturesOnDevice(TimeProvider.System), TimeProvider.System);
        Assert.Equal(ProbeVerdict.Unknown, (await nonsense.RunAsync(AnsweringSession.Failing(new ModelException("A score above 1.")))).Verdict);
    }

    [Fact]
    public async Task Boxes_are_learned_once_a_failing_device_works()
    {
        var error = new InvalidOperationException("out of memory");
        var failed = await _probe.RunAsync(AnsweringSession.Failing(error));
        Assert.Equal((ProbeVerdict.Failed, error), (failed.Verdict, failed.Error));
        Assert.Equal(ProbeVerdict.Failed, (await _probe.RunAsync(new AnsweringSession(_ => throw error))).Verdict);
        Assert.Equal(ProbeVerdict.Sound, await TryAsync(Boxes));
        Assert.Equal(ProbeVerdict.Failed, (await _probe.RunAsync(AnsweringSession.Failing(new ModelException("NaN")))).Verdict);
    }

    [Fact]
    public async Task First_test_run_that_was_ended_is_failed()
    {
        var error = new RunTimeoutException(TimeSpan.FromSeconds(10));
        for (var i = 0; i < 2; i++)
        {
            var failed = await _probe.RunAsync(AnsweringSession.Failing(error));
            Assert.Equal((ProbeVerdict.Failed, error), (failed.Verdict, failed.Error));
        }

        Assert.Equal(ProbeVerdict.Sound, await TryAsync(Boxes));
    }

    [Fact]
    public async Task Device_that_does_not_answer_is_failed()
    {
        var probe = new HealthProbe(0.05f, TimeSpan.FromMilliseconds(50), new PicturesOnDevice(TimeProvider.System), TimeProvider.System);
        var result = await probe.RunAsync(new Silent(isDecoded: true));

        Assert.Equal((ProbeVerdict.Failed, null), (result.Verdict, result.Error));
        Assert.True(probe.OnDevice.AreHeld(TimeSpan.Zero));
    }

    [Fact]
    public async Task Test_picture_not_decoded_in_time_is_not_tried_and_cancelled()
    {
        var onDevice = new PicturesOnDevice(TimeProvider.System);
        var probe = new HealthProbe(0.05f, TimeSpan.FromMilliseconds(50), onDevice, TimeProvider.System);
        for (var round = 0; round < 3; round++)
        {
            var busy = new Silent(isDecoded: false);
            Assert.Equal(ProbeVerdict.NotTried, (await probe.RunAsync(busy)).Verdict);
            await busy.Cancelled.Task;
            Assert.Equal(ProbeVerdict.Sound, (await probe.RunAsync(AnsweringSession.Finding(Boxes))).Verdict);
            Assert.Equal(ProbeVerdict.NotTried, (await probe.RunAsync(AnsweringSession.Failing(new InsufficientMemoryException()))).Verdict);
            Assert.Equal(ProbeVerdict.Blind, (await probe.RunAsync(AnsweringSession.Finding())).Verdict);
            Assert.False(onDevice.AreHeld(TimeSpan.Zero));
        }
    }

    [Theory]
    [InlineData(0f, "every score is 0")]
    [InlineData(0.5f, "every score is 0.5")]
    public async Task Model_whose_scores_are_all_the_same_has_a_sign_and_others_have_none(float score, string sign)
    {
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(sign, (await Probe("yolov8").RunAsync(AnsweringSession.Finding(Grid(score)))).ScoreSign);
            Assert.Equal("there is no box, whatever its score", (await Probe("yolov8").RunAsync(AnsweringSession.Finding())).ScoreSign);

            // One cell sees something, the graph chooses the boxes itself, or noise looks different.
            Assert.Null((await Probe("yolov8").RunAsync(AnsweringSession.Finding([.. Grid(score), new(0, 0.6f, 1, 1, 20, 20)]))).ScoreSign);
            Assert.Null((await Probe("ssd").RunAsync(AnsweringSession.Finding(Grid(score)))).ScoreSign);
            Assert.Null((await Probe(null).RunAsync(AnsweringSession.Finding(Grid(score)))).ScoreSign);
            Assert.Null((await Probe("yolov8").RunAsync(new AnsweringSession(work =>
                Found(work.Encoded.Equals(KnownPicture.Bytes) ? Grid(score) : Grid(0.25f))))).ScoreSign);
        }
    }

    [Fact]
    public async Task Model_that_finds_something_is_run_once_on_the_test_picture()
    {
        var runs = 0;
        var session = new AnsweringSession(_ =>
        {
            runs++;
            return Found(Boxes);
        });

        Assert.Null((await Probe("yolov8").RunAsync(session)).ScoreSign);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Default_model_on_a_real_device_is_sound_and_blind_with_empty_outputs()
    {
        var source = ModelFile.Read(Path.Combine(Repository.Root, "models", "nanodet-g", "model.onnx"));
        await using var device = new CpuDevice(new DeviceOptions { CpuWorkers = 1 }, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<CpuDevice>.Instance);
        await using var session = await device.LoadAsync(source, default);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(ProbeVerdict.Sound, (await _probe.RunAsync(session)).Verdict);
        }

        Assert.True(_probe.IsConclusive);
        Assert.Equal(ProbeVerdict.Blind, await TryAsync([]));
    }

    private static HealthProbe Probe(string? family) =>
        new(0.05f, TimeSpan.FromSeconds(5), new PicturesOnDevice(TimeProvider.System), TimeProvider.System) { Family = family };

    private static DetectedObject[] Grid(float score) => [.. Enumerable.Range(0, 100).Select(cell => new DetectedObject(0, score, cell, cell, cell + 16, cell + 16))];

    private static PictureOutcome Found(DetectedObject[] boxes) => new(OutcomeKind.Detected, 416, 312, boxes, null, default, default, default, default);

    private async Task<ProbeVerdict> TryAsync(DetectedObject[] boxes) => (await _probe.RunAsync(AnsweringSession.Finding(boxes))).Verdict;

    /// <summary>Never answers, with the picture on the device or before it reached the device.</summary>
    private sealed class Silent(bool isDecoded) : IModelSession
    {
        public int Concurrency => 1;

        public TaskCompletionSource Cancelled { get; } = new();

        public Task DetectAsync(IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken)
        {
            cancellationToken.UnsafeRegister(_ => Cancelled.TrySetResult(), null);
            if (isDecoded)
            {
                batch[0].Decoded!();
            }

            return Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
