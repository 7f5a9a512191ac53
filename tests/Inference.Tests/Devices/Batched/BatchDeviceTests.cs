using Detection.Inference.Devices;
using Detection.Inference.Devices.Batched;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Heads;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Tests.Devices.Batched;

/// <summary>The device for GPUs, here with the CPU.</summary>
public sealed class BatchDeviceTests : IDisposable
{
    private readonly BrightnessModel _models = new();
    private readonly DeviceOptions _options = new() { CpuWorkers = 3, Cuda = new CudaOptions { MaxBatch = 8 } };

    [Fact]
    public async Task Gives_the_boxes_of_the_cpu_device()
    {
        var model = ModelFile.Read(Path.Combine(Testing.Repository.Root, "models", "nanodet-g"));
        PictureWork[] batch = [.. Enumerable.Range(0, 11).Select(i => Work(Photos.Get(i)))];
        await using var cpu = new CpuDevice(_options, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await using var cpuSession = await cpu.LoadAsync(model, default);
        await using var device = Open();
        await using var session = await device.LoadAsync(model, default);

        var expected = await DetectAsync(cpuSession, batch);
        var actual = await DetectAsync(session, batch);

        for (int i = 0; i < batch.Length; i++)
        {
            BoxAssert.Same(expected[i].Boxes, actual[i].Boxes, 0.05f);
            Assert.Equal((expected[i].Width, expected[i].Height), (actual[i].Width, actual[i].Height));
        }
    }

    [Fact]
    public async Task Failed_and_expired_pictures_do_not_change_rows_of_others()
    {
        await using var device = Open();
        await using var session = await device.LoadAsync(_models.Create(), default);
        PictureWork[] batch =
        [
            Work([1, 2, 3]),
            Work(BrightnessModel.Grey(20)),
            new(BrightnessModel.Grey(40), null, DateTimeOffset.UtcNow.AddSeconds(-1)),
            Work(BrightnessModel.Grey(60)),
            Work([]),
            Work(BrightnessModel.Grey(80)),
        ];

        var outcomes = await DetectAsync(session, batch);

        Assert.IsType<PictureException>(outcomes[0].Error);
        Assert.Equal(OutcomeKind.Expired, outcomes[2].Kind);
        Assert.IsType<PictureException>(outcomes[4].Error);
        Assert.Equal(20, BrightnessModel.Seen(outcomes[1].Boxes));
        Assert.Equal(60, BrightnessModel.Seen(outcomes[3].Boxes));
        Assert.Equal(80, BrightnessModel.Seen(outcomes[5].Boxes));
    }

    [Theory]
    [InlineData(new[] { 3 })]
    [InlineData(new[] { 0, 7, 9 })]
    public async Task Failing_batch_is_halved_until_the_faulty_picture_is_alone(int[] white)
    {
        await using var device = Open();
        await using var session = await device.LoadAsync(_models.Create(throwsOnWhite: true), default);
        int[] levels = [.. Enumerable.Range(0, 10).Select(i => white.Contains(i) ? 255 : i * 20)];

        var outcomes = await DetectAsync(session, [.. levels.Select(level => Work(BrightnessModel.Grey(level)))]);

        for (int i = 0; i < levels.Length; i++)
        {
            if (white.Contains(i))
            {
                Assert.IsType<OnnxRuntimeException>(outcomes[i].Error);
            }
            else
            {
                Assert.Equal(levels[i], BrightnessModel.Seen(outcomes[i].Boxes));
            }
        }

        // The slot of a batch that failed is reused, with its tensors.
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(100, BrightnessModel.Seen((await DetectAsync(session, [Work(BrightnessModel.Grey(100))]))[0].Boxes));
        }
    }

    [Fact]
    public async Task Many_batches_at_the_same_time_do_not_mix()
    {
        await using var device = Open();
        await using var session = await device.LoadAsync(_models.Create(), default);

        await Task.WhenAll(Enumerable.Range(0, 12).Select(async n =>
        {
            int[] levels = [.. Enumerable.Range(0, 1 + (n * 3)).Select(i => ((n * 31) + (i * 7)) % 250)];
            var outcomes = await DetectAsync(session, [.. levels.Select(level => Work(BrightnessModel.Grey(level)))]);
            Assert.Equal(levels, outcomes.Select(outcome => BrightnessModel.Seen(outcome.Boxes)));
        }));
    }

    [Fact]
    public async Task Cancelled_batch_ends_and_the_session_continues()
    {
        await using var device = Open();
        await using var session = await device.LoadAsync(_models.Create(), default);
        using var cancel = new CancellationTokenSource();
        int completed = 0;

        var running = session.DetectAsync(
            [.. Enumerable.Range(0, 200).Select(i => Work(BrightnessModel.Grey(i)))],
            (_, _) =>
            {
                Interlocked.Increment(ref completed);
                cancel.Cancel();
            },
            cancel.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.InRange(completed, 1, 199);
        Assert.Equal(50, BrightnessModel.Seen((await DetectAsync(session, [Work(BrightnessModel.Grey(50))]))[0].Boxes));
    }

    [Fact]
    public async Task Model_is_refused_when_the_outputs_of_the_device_differ_from_the_cpu()
    {
        using var provider = new CpuProvider { Replace = ("v0", () => OrtValue.CreateTensorValueFromMemory([1.1f / 255], [1])) };
        await using var device = Open(provider);

        var error = await Assert.ThrowsAsync<ModelException>(() => device.LoadAsync(_models.Create(), default));

        Assert.Contains("gives other numbers on test:0 than on the CPU", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Batch_sizes_are_those_that_the_graph_can_run()
    {
        Assert.Equal([1, 4, 8, 16, 32], BatchDevice.BatchSizes(ModelGraph.Read(_models.Create(), new RunBounds(GraphTrial.MaxRun)), 32));
        Assert.Equal([1, 4, 6], BatchDevice.BatchSizes(ModelGraph.Read(_models.Create(), new RunBounds(GraphTrial.MaxRun)), 6));
        Assert.Equal([1], BatchDevice.BatchSizes(ModelGraph.Read(_models.Create(), new RunBounds(GraphTrial.MaxRun)), 1));
        Assert.Equal([1], BatchDevice.BatchSizes(ModelGraph.Read(_models.Create(batch: 1), new RunBounds(GraphTrial.MaxRun)), 32));
        Assert.Equal([4], BatchDevice.BatchSizes(ModelGraph.Read(_models.Create(batch: 4), new RunBounds(GraphTrial.MaxRun)), 32));
    }

    [Fact]
    public void Difference_ignores_the_order_and_detects_NaN()
    {
        float[] values = [.. Enumerable.Range(0, 1000).Select(i => MathF.Sin(i))];

        Assert.Equal(0, DeviceCheck.Difference(values, values.Reverse().ToArray()));
        Assert.InRange(DeviceCheck.Difference(values, values.Select(v => v + 0.1f).ToArray()), 0.049f, 0.051f);
        Assert.True(float.IsNaN(DeviceCheck.Difference(values, values.Select(_ => float.NaN).ToArray())));
    }

    public void Dispose() => _models.Dispose();

    private static PictureWork Work(byte[] picture) => new(picture, null, DateTimeOffset.MaxValue);

    private static async Task<PictureOutcome[]> DetectAsync(IModelSession session, PictureWork[] batch)
    {
        var outcomes = new PictureOutcome[batch.Length];
        await session.DetectAsync(
            batch,
            (i, outcome) => Assert.Null(Interlocked.Exchange(ref outcomes[i], outcome)),
            default).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.All(outcomes, Assert.NotNull);
        return outcomes;
    }

    private BatchDevice Open(CpuProvider? provider = null) => new(
        "test:0",
        "test",
        "test",
        provider ?? new CpuProvider(),
        _options,
        TimeProvider.System,
        NullLogger.Instance);
}
