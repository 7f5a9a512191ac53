using System.Buffers;
using Detection.Inference.Annotation;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Pictures;
using Detection.Inference.Repository;
using Microsoft.Extensions.Logging.Abstractions;
using SkiaSharp;

namespace Detection.Inference.Tests.Pictures;

public sealed class DecodingMemoryTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_is_granted_in_order()
    {
        var memory = new DecodingMemory(100);
        var first = memory.Take(60, Long, Stop);
        var large = Task.Run(() => memory.Take(90, Long, Stop), Stop);
        await UntilAsync(() => memory.Waiting == 1);

        // It would fit, but waits: otherwise the large one would wait for ever.
        var small = Task.Run(() => memory.Take(10, Long, Stop), Stop);
        await UntilAsync(() => memory.Waiting == 2);
        Assert.Equal(60, memory.Taken);
        first.Shrink(20);
        Assert.Equal(20, memory.Taken);
        first.Dispose();
        first.Dispose();
        using (await large)
        using (await small)
        {
            Assert.Equal(100, memory.Taken);
        }

        Assert.Equal((0, 100, 0), (memory.Taken, memory.Peak, memory.Waiting));
    }

    [Fact]
    public async Task A_picture_that_needs_more_than_the_limit_is_decoded_alone()
    {
        var memory = new DecodingMemory(100);
        var small = memory.Take(2, Long, Stop);
        var huge = Task.Run(() => memory.Take(1000, Long, Stop), Stop);
        await UntilAsync(() => memory.Waiting == 1);
        small.Dispose();
        (await huge).Dispose();
        Assert.Equal(0, memory.Taken);
    }

    [Fact]
    public async Task Cancelled_wait_gives_its_turn_to_the_next()
    {
        var memory = new DecodingMemory(100);
        using var held = memory.Take(60, Long, Stop);
        Assert.Throws<TimeoutException>(() => memory.Take(50, TimeSpan.FromMilliseconds(1), Stop));
        Assert.Throws<TimeoutException>(() => memory.Take(50, TimeSpan.FromSeconds(-1), Stop));
        using var cancel = new CancellationTokenSource();
        var cancelled = Task.Run(() => memory.Take(50, Long, cancel.Token), Stop);
        await UntilAsync(() => memory.Waiting == 1);
        var next = Task.Run(() => memory.Take(40, Long, Stop), Stop);
        await UntilAsync(() => memory.Waiting == 2);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        (await next).Dispose();
        Assert.Equal((60, 0), (memory.Taken, memory.Waiting));
    }

    [Fact]
    public async Task Take_with_unlimited_wait_waits_and_leaves_nothing_behind()
    {
        var memory = new DecodingMemory(100);
        using (memory.Take(60, Long, Stop))
        {
            var unlimited = Task.Run(() => memory.Take(50, TimeSpan.MaxValue, Stop), Stop);
            await UntilAsync(() => memory.Waiting == 1);
            using var cancel = new CancellationTokenSource();
            var cancelled = Task.Run(() => memory.Take(50, TimeSpan.FromDays(60), cancel.Token), Stop);
            await UntilAsync(() => memory.Waiting == 2);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
            Assert.Equal((60, 1), (memory.Taken, memory.Waiting));
            memory.Limit = 200;
            (await unlimited).Dispose();
        }

        Assert.Equal((0, 0), (memory.Taken, memory.Waiting));
    }

    [Fact]
    public void Take_of_small_picture_neither_waits_nor_counts()
    {
        var memory = new DecodingMemory(64_000);
        using var held = memory.Take(64_000, Long, Stop);
        using (memory.Take(1000, TimeSpan.Zero, Stop))
        {
            Assert.Equal((64_000, 64_000), (memory.Taken, memory.Peak));
            Assert.Throws<TimeoutException>(() => memory.Take(1001, TimeSpan.Zero, Stop));
        }

        Assert.Equal((64_000, 0), (memory.Taken, memory.Waiting));
    }

    [Fact]
    public async Task Picture_without_deadline_waits_for_memory_as_others_do()
    {
        var memory = new DecodingMemory(1000);
        await using var device = new CpuDevice(
            new DeviceOptions { CpuWorkers = 2, Memory = memory }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await using var session = await device.LoadAsync(ModelFile.Read(Path.Combine(Testing.Repository.Root, "models", "nanodet-g")), Stop);
        var picture = Samples.Jpeg(300, 200);
        var outcomes = new List<PictureOutcome>();
        var decoded = 0;
        for (var round = 0; round < 3; round++)
        {
            var held = memory.Take(1000, Long, Stop);
            var waiting = session.DetectAsync(
                [new(picture, null, DateTimeOffset.MaxValue, Decoded: () => decoded++)], (_, outcome) => outcomes.Add(outcome), Stop);
            await UntilAsync(() => memory.Waiting == 1 || waiting.IsCompleted);
            Assert.Equal(round, decoded);
            held.Dispose();
            await waiting;
            Assert.Equal(round + 1, decoded);
        }

        Assert.All(outcomes, outcome => Assert.Equal((OutcomeKind.Detected, null), (outcome.Kind, outcome.Error)));
        Assert.Equal((3, 0L, 0), (outcomes.Count, memory.Taken, memory.Waiting));
    }

    [Fact]
    public async Task Raised_limit_admits_waiting_decodes_that_fit()
    {
        var memory = new DecodingMemory(100);
        using var held = memory.Take(100, Long, Stop);
        var waiting = Task.Run(() => memory.Take(100, Long, Stop), Stop);
        await UntilAsync(() => memory.Waiting == 1);
        memory.Limit = 200;
        (await waiting).Dispose();
    }

    [Fact]
    public async Task Many_threads_never_hold_more_than_the_limit_and_leave_nothing_behind()
    {
        const int limit = 1000;
        var memory = new DecodingMemory(limit);
        var held = 0L;
        var given = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Factory.StartNew(
            () =>
            {
                var random = new Random(seed);
                for (var round = 0; round < 400; round++)
                {
                    var bytes = random.Next((limit / 64) + 1, limit + 1);
                    using var cancel = new CancellationTokenSource();
                    if (random.Next(4) == 0)
                    {
                        cancel.CancelAfter(random.Next(3));
                    }

                    try
                    {
                        using var share = memory.Take(bytes, TimeSpan.FromMilliseconds(random.Next(3) == 0 ? 1 : 60_000), cancel.Token);
                        Assert.InRange(Interlocked.Add(ref held, bytes), 1, limit);
                        Interlocked.Increment(ref given);
                        Thread.SpinWait(random.Next(2000));
                        Interlocked.Add(ref held, -bytes);
                    }
                    catch (Exception e) when (e is TimeoutException or OperationCanceledException)
                    {
                    }
                }
            },
            Stop,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
        Assert.Equal((0, 0), (memory.Taken, memory.Waiting));
        Assert.InRange(memory.Peak, 1, limit);
        Assert.InRange(given, 100, 3200);
    }

    [Fact]
    public async Task Large_pictures_of_every_kind_are_all_decoded_within_a_small_budget()
    {
        using var scene = Samples.Scene(700, 500);
        byte[][] good =
        [
            .. Enum.GetValues<PictureFormat>().Select(format => Samples.Encode(scene, format)),
            Samples.WithOrientation(Samples.Encode(scene, SKEncodedImageFormat.Jpeg), 6),
            (BlockJpeg.Quadrants(576) with { Frame = 0xC2 }).Encode(),
            (BlockJpeg.Quadrants(576) with { Sampling = [(3, 1), (1, 1), (1, 1)] }).Encode()[..^2],
        ];
        var jpeg = good[0];
        byte[][] bad = [jpeg[..(jpeg.Length / 2)], good[1][..(good[1].Length / 2)], [1, 2, 3], ScannedJpeg.Make(700, 500, 0xC0, 200, hidden: true)];
        byte[][] sent = [.. Enumerable.Range(0, 60).Select(i => i % 4 == 3 ? bad[i / 4 % bad.Length] : good[i % good.Length])];

        // Drawing the largest one needs about 8 MB, so most of them must wait.
        var memory = new DecodingMemory(9_000_000);
        await using var device = new CpuDevice(
            new DeviceOptions { CpuWorkers = 6, Memory = memory }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await using var session = await device.LoadAsync(ModelFile.Read(Path.Combine(Testing.Repository.Root, "models", "nanodet-g")), Stop);
        var outcomes = new PictureOutcome[sent.Length];
        var annotated = Task.Run(
            () =>
            {
                for (var i = 0; i < 12; i++)
                {
                    Draw(i % 3 == 2 ? bad[i % 2] : good[i % good.Length], memory);
                }
            },
            Stop);
        await session.DetectAsync(
            [.. sent.Select(picture => new PictureWork(picture, null, DateTimeOffset.UtcNow.AddMinutes(2)))], (i, outcome) => outcomes[i] = outcome, Stop);
        await annotated;

        Assert.All(outcomes.Index(), each => Assert.Equal(each.Index % 4 == 3 ? OutcomeKind.Failed : OutcomeKind.Detected, each.Item.Kind));
        Assert.Equal((0, 0), (memory.Taken, memory.Waiting));
        Assert.InRange(memory.Peak, 4_000_000, memory.Limit);
    }

    [Fact]
    public async Task Picture_waiting_for_memory_expires_or_is_cancelled_and_the_next_is_answered()
    {
        var memory = new DecodingMemory(1000);
        await using var device = new CpuDevice(
            new DeviceOptions { CpuWorkers = 2, Memory = memory }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await using var session = await device.LoadAsync(ModelFile.Read(Path.Combine(Testing.Repository.Root, "models", "nanodet-g")), Stop);
        var picture = Samples.Jpeg(300, 200);
        var kinds = new List<OutcomeKind>();
        using (memory.Take(1000, Long, Stop))
        {
            await session.DetectAsync([new(picture, null, DateTimeOffset.UtcNow.AddMilliseconds(300))], (_, outcome) => kinds.Add(outcome.Kind), Stop);
            Assert.Equal([OutcomeKind.Expired], kinds);

            using var cancel = new CancellationTokenSource();
            var cancelled = session.DetectAsync(
                [new(picture, null, DateTimeOffset.UtcNow.AddMinutes(1))], (_, outcome) => kinds.Add(outcome.Kind), cancel.Token);
            await UntilAsync(() => memory.Waiting == 1);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        }

        await session.DetectAsync([new(picture, null, DateTimeOffset.UtcNow.AddMinutes(1))], (_, outcome) => kinds.Add(outcome.Kind), Stop);
        Assert.Equal([OutcomeKind.Expired, OutcomeKind.Detected], kinds);
        Assert.Equal((0, 0), (memory.Taken, memory.Waiting));
    }

    [Fact]
    public void Failed_drawing_returns_its_memory()
    {
        var memory = new DecodingMemory(1);
        var picture = Samples.Jpeg(300, 200);
        Assert.Throws<InvalidOperationException>(() => PictureAnnotator.Annotate(
            picture, new PictureLimits(), [], [], new FullWriter(), TurboJpeg.IsAvailable, new DecodingTurn(memory, Long)));
        Assert.Equal(0, memory.Taken);
        Draw(picture, memory);
        Assert.Equal(0, memory.Taken);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_limit_must_be_above_zero(long limit) => Assert.Throws<ArgumentOutOfRangeException>(() => new DecodingMemory(limit));

    private static void Draw(byte[] picture, DecodingMemory memory)
    {
        try
        {
            var output = new ArrayBufferWriter<byte>();
            PictureAnnotator.Annotate(picture, new PictureLimits(), [], [], output, TurboJpeg.IsAvailable, new DecodingTurn(memory, Long));
            Assert.NotEqual(0, output.WrittenCount);
        }
        catch (PictureException)
        {
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(1, Stop);
        }
    }

    private sealed class FullWriter : IBufferWriter<byte>
    {
        public void Advance(int count) => throw new InvalidOperationException("full");

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new InvalidOperationException("full");

        public Span<byte> GetSpan(int sizeHint = 0) => throw new InvalidOperationException("full");
    }
}
