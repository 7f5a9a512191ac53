using System.Collections.Concurrent;
using Detection.Inference.Devices;
using Detection.Inference.Heads;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Detection.Inference.Tests.Heads;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Tests.Devices.Cpu;

public sealed class CpuDeviceTests : DefaultModelTest
{
    [Fact]
    public async Task Batch_gives_each_picture_the_boxes_of_a_single_run()
    {
        byte[][] pictures = [.. Enumerable.Range(0, 8).Select(Photos.Get)];

        var outcomes = await DetectAsync(pictures);

        for (int i = 0; i < pictures.Length; i++)
        {
            var outcome = outcomes[i];
            Assert.Equal(OutcomeKind.Detected, outcome.Kind);
            BoxAssert.Same(ByHand(pictures[i]), outcome.Boxes);
            Assert.True(outcome.Decode > TimeSpan.Zero && outcome.Preprocess > TimeSpan.Zero && outcome.Inference > TimeSpan.Zero);
        }

        Assert.Contains(outcomes, outcome => outcome.Boxes.Any(box => box.Score > 0.4f));
    }

    [Fact]
    public async Task A_damaged_picture_fails_alone()
    {
        var outcomes = await DetectAsync([Photos.Get(1), [1, 2, 3], Photos.Get(2), []]);

        Assert.Equal([OutcomeKind.Detected, OutcomeKind.Failed, OutcomeKind.Detected, OutcomeKind.Failed], outcomes.Select(o => o.Kind));
        Assert.Equal(FailureReason.NotAPicture, Assert.IsType<PictureException>(outcomes[1].Error).Reason);
    }

    [Fact]
    public async Task A_picture_past_its_deadline_is_not_decoded()
    {
        var outcomes = new ConcurrentDictionary<int, PictureOutcome>();
        PictureWork[] batch =
        [
            new(new byte[] { 1, 2, 3 }, null, DateTimeOffset.UtcNow.AddSeconds(-1)),
            new(Photos.Get(1), null, DateTimeOffset.UtcNow.AddMinutes(1)),
        ];

        await Session.DetectAsync(batch, (i, outcome) => Assert.True(outcomes.TryAdd(i, outcome)), default);

        // It is damaged: decoding it would have failed.
        Assert.Equal(OutcomeKind.Expired, outcomes[0].Kind);
        Assert.Equal(OutcomeKind.Detected, outcomes[1].Kind);
    }

    [Fact]
    public async Task Outcomes_arrive_as_pictures_end_and_a_cancelled_batch_stops_between_them()
    {
        using var cancel = new CancellationTokenSource();
        int completed = 0;
        PictureWork[] batch = [.. Enumerable.Range(0, 64).Select(i => Work(Photos.Get(i)))];

        var running = Session.DetectAsync(
            batch,
            (_, _) =>
            {
                Interlocked.Increment(ref completed);
                cancel.Cancel();
            },
            cancel.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromMinutes(1)));
        int then = completed;

        // At most one picture per worker was under way; the workers are free for others.
        Assert.InRange(then, 1, 4);
        await DetectAsync([Photos.Get(1)]);
        Assert.Equal(then, completed);
    }

    [Fact]
    public async Task Exception_of_the_callback_is_rethrown_and_the_workers_continue()
    {
        var running = Session.DetectAsync(
            [Work(Photos.Get(1)), Work(Photos.Get(2))],
            (_, _) => throw new InvalidTimeZoneException("receiver"),
            default);

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => running.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.All(await DetectAsync([.. Enumerable.Range(0, 6).Select(Photos.Get)]), o => Assert.Equal(OutcomeKind.Detected, o.Kind));
    }

    [Fact]
    public async Task Bytes_of_another_picture_are_not_decoded_and_fail_alone()
    {
        var asked = new ConcurrentBag<int>();
        var outcomes = new PictureOutcome[6];
        await Session.DetectAsync(
            [.. Enumerable.Range(0, 6).Select(i => Work(Photos.Get(i)) with
            {
                IsGenuine = bytes =>
                {
                    asked.Add(bytes.Length);
                    return i % 2 == 0;
                },
            })],
            (i, outcome) => outcomes[i] = outcome,
            default).WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(6, asked.Count);
        for (int i = 0; i < outcomes.Length; i += 2)
        {
            BoxAssert.Same(ByHand(Photos.Get(i)), outcomes[i].Boxes);
            Assert.IsType<WrongPictureException>(outcomes[i + 1].Error);
            Assert.Equal((0, 0), (outcomes[i + 1].Width, outcomes[i + 1].Boxes.Length));
        }
    }

    [Fact]
    public async Task Dispose_waits_for_running_batches_and_accepts_no_more()
    {
        var session = await Device.LoadAsync(NanoDet, default);
        int completed = 0;
        PictureWork[] batch = [.. Enumerable.Range(0, 6).Select(i => Work(Photos.Get(i)))];
        var running = session.DetectAsync(batch, (_, _) => Interlocked.Increment(ref completed), default);

        await session.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(batch.Length, completed);
        await running;
        await Assert.ThrowsAsync<ObjectDisposedException>(() => session.DetectAsync(batch, (_, _) => { }, default));
    }

    [Fact]
    public async Task Iou_of_the_picture_overrides_that_of_the_model()
    {
        byte[] picture = Photos.Get(0);
        var outcomes = new ConcurrentDictionary<int, PictureOutcome>();

        await Session.DetectAsync(
            [new(picture, 0.99f, DateTimeOffset.MaxValue), new(picture, 0.1f, DateTimeOffset.MaxValue)],
            (i, outcome) => outcomes[i] = outcome,
            default);

        Assert.True(outcomes[0].Boxes.Length > outcomes[1].Boxes.Length);
    }

    private static DetectedObject[] ByHand(byte[] encoded)
    {
        var manifest = NanoDet.Manifest;
        float[] input = new float[3 * 416 * 416];
        using var picture = PictureDecoder.Decode(encoded, new PictureLimits(), 416, 416);
        var geometry = Preprocessor.Write(picture, manifest.Input, System.Runtime.InteropServices.MemoryMarshal.AsBytes(input.AsSpan()));
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(NanoDet.Path, options);
        using var tensor = OrtValue.CreateTensorValueFromMemory(input, [1, 3, 416, 416]);
        using var run = new RunOptions();
        using var values = session.Run(run, ["images"], [tensor], session.OutputNames);
        var outputs = session.OutputNames.Select((name, i) => new OutputTensor(
            name,
            [.. values[i].GetTensorTypeAndShape().Shape.Skip(1).Select(d => (int)d)],
            values[i].GetTensorDataAsSpan<float>().ToArray()));
        var boxes = new List<DetectedObject>();
        DetectionHeads.Create(manifest).Read(
            [.. outputs],
            geometry,
            new HeadSettings(manifest.ScoreFloor, manifest.Iou, manifest.MaxBoxes),
            boxes);
        return [.. boxes];
    }
}
