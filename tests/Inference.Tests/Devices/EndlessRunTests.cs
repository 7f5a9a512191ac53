using Detection.Inference.Devices;
using Detection.Inference.Devices.Batched;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Inference.Tests.Devices;

/// <summary>Runs that do not end are ended, and do not affect other pictures or other models.</summary>
public sealed class EndlessRunTests : IDisposable
{
    private const int White = 255;

    private readonly BrightnessModel _models = new();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, 4)]
    public async Task Ended_run_does_not_change_other_or_later_pictures(bool batched, int fixedBatch)
    {
        await using var device = Open(batched, TimeSpan.FromMilliseconds(500));
        await using var session = await device.LoadAsync(_models.Create(batch: fixedBatch, endless: BrightnessModel.Endless.LoopOnWhite), default);
        for (int round = 0; round < 2; round++)
        {
            int[] levels = [20, White, 90, 30 + round, 41];
            var outcomes = await DetectAsync(session, levels);
            AssertSeen(levels, outcomes);
            var error = Assert.IsType<RunTimeoutException>(outcomes[1].Error);
            Assert.Equal("its run did not end within 0.5 s and was ended.", error.Message);

            // Once for each set of tensors, which all contained the faulty picture.
            for (int i = 0; i < 4; i++)
            {
                AssertSeen([50 + i], await DetectAsync(session, 50 + i));
            }
        }

        Assert.False(session.Unending.IsCompleted);
    }

    [Fact]
    public async Task Other_31_pictures_of_a_batch_of_32_are_answered()
    {
        await using var device = Open(batched: true, TimeSpan.FromSeconds(1));
        await using var session = await device.LoadAsync(_models.Create(endless: BrightnessModel.Endless.LoopOnWhite), default);
        int[] levels = [.. Enumerable.Range(0, 32).Select(i => i == 17 ? White : 7 * i)];

        var outcomes = await DetectAsync(session, levels);

        AssertSeen(levels, outcomes);
        Assert.IsType<RunTimeoutException>(outcomes[17].Error);
    }

    [Fact]
    public async Task Another_model_is_served_during_more_endless_runs_than_workers()
    {
        await using var device = Open(batched: false, TimeSpan.FromSeconds(1));
        await using var session = await device.LoadAsync(_models.Create(endless: BrightnessModel.Endless.LoopOnWhite), default);
        await using var other = await device.LoadAsync(_models.Create(), default);
        await DetectAsync(session, White);

        var endless = DetectAsync(session, [.. Enumerable.Repeat(White, 6)]);
        for (int level = 0; level < 20; level++)
        {
            AssertSeen([level], await DetectAsync(other, level));
        }

        Assert.False(endless.IsCompleted);
        Assert.All(await endless, outcome => Assert.IsType<RunTimeoutException>(outcome.Error));
        AssertSeen([33, 44, 55], await DetectAsync(session, 33, 44, 55));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_is_ended_when_the_deadlines_of_its_pictures_have_passed(bool batched)
    {
        await using var device = Open(batched, TimeSpan.FromSeconds(4));
        await using var session = await device.LoadAsync(_models.Create(endless: BrightnessModel.Endless.LoopOnWhite), default);
        PictureOutcome? outcome = null;
        var work = new PictureWork(BrightnessModel.Grey(White), null, DateTimeOffset.UtcNow.AddSeconds(1));

        await session.DetectAsync([work], (_, one) => outcome = one, default).WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(OutcomeKind.Expired, outcome!.Kind);
        AssertSeen([77], await DetectAsync(session, 77));
    }

    [Fact]
    public async Task Model_whose_runs_never_end_is_refused_and_the_next_one_is_loaded()
    {
        await using var device = Open(batched: false, TimeSpan.FromMilliseconds(300));
        var error = await Assert.ThrowsAsync<ModelException>(
            () => device.LoadAsync(_models.Create(endless: BrightnessModel.Endless.Loop), default));
        Assert.Equal("Model brightness cannot be run: its run did not end within 0.3 s and was ended.", error.Message);

        await using var session = await device.LoadAsync(_models.Create(), default);
        AssertSeen([10, White], await DetectAsync(session, 10, White));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disposed_device_ends_its_runs(bool batched)
    {
        var device = Open(batched, TimeSpan.FromHours(1));
        var session = await device.LoadAsync(_models.Create(endless: BrightnessModel.Endless.LoopOnWhite), default);
        var decoding = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        PictureOutcome? outcome = null;
        var work = new PictureWork(BrightnessModel.Grey(White), null, DateTimeOffset.MaxValue, IsGenuine: _ => decoding.TrySetResult());
        var detecting = session.DetectAsync([work], (_, one) => outcome = one, default);
        await decoding.Task;

        await device.DisposeAsync();

        await detecting.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.IsType<RunTimeoutException>(outcome!.Error);
        await session.DisposeAsync();
    }

    [Fact]
    public async Task Run_that_cannot_be_ended_is_reported_and_occupies_one_worker()
    {
        await using var device = Open(batched: false, TimeSpan.FromMilliseconds(300));
        var session = await device.LoadAsync(_models.Create(endless: BrightnessModel.Endless.OperationOnWhite), default);
        AssertSeen([10, 20], await DetectAsync(session, 10, 20));

        _ = DetectAsync(session, White);
        await session.Unending.WaitAsync(TimeSpan.FromMinutes(1));

        AssertSeen([30, 40], await DetectAsync(session, 30, 40));
    }

    public void Dispose() => _models.Dispose();

    private static IInferenceDevice Open(bool batched, TimeSpan runTimeout)
    {
        var options = new DeviceOptions { CpuWorkers = 2, RunTimeout = runTimeout, Cuda = new CudaOptions { MaxBatch = 32, Verify = false } };
        return batched
            ? new BatchDevice("test:0", "test", "test", new CpuProvider(), options, TimeProvider.System, NullLogger.Instance)
            : new CpuDevice(options, TimeProvider.System, NullLogger<CpuDevice>.Instance);
    }

    private static void AssertSeen(int[] levels, PictureOutcome[] outcomes)
    {
        for (int i = 0; i < levels.Length; i++)
        {
            if (levels[i] != White || outcomes[i].Error is null)
            {
                Assert.Null(outcomes[i].Error);
                Assert.Equal(levels[i], BrightnessModel.Seen(outcomes[i].Boxes));
            }
        }
    }

    private static async Task<PictureOutcome[]> DetectAsync(IModelSession session, params int[] levels)
    {
        var outcomes = new PictureOutcome[levels.Length];
        PictureWork[] batch = [.. levels.Select(level => new PictureWork(BrightnessModel.Grey(level), null, DateTimeOffset.MaxValue))];
        await session.DetectAsync(batch, (i, outcome) => outcomes[i] = outcome, default).WaitAsync(TimeSpan.FromMinutes(2));
        return outcomes;
    }
}
