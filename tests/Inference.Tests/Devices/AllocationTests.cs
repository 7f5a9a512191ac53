using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Repository;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Inference.Tests.Devices;

/// <summary>Runs alone, because it measures the whole process.</summary>
[Collection(nameof(AllocationTests))]
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTests
{
    [Fact]
    public async Task Steady_state_allocates_no_memory_of_the_size_of_a_picture()
    {
        var options = new DeviceOptions { CpuWorkers = 2 };
        await using var device = new CpuDevice(options, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await using var session = await device.LoadAsync(ModelFile.Read(Path.Combine(Testing.Repository.Root, "models", "nanodet-g")), default);
        PictureWork[] batch = [.. Enumerable.Range(0, 8).Select(i => new PictureWork(Photos.Get(i), null, DateTimeOffset.MaxValue))];

        // The first rounds fill the pools of buffers.
        long least = long.MaxValue;
        for (int round = 0; round < 6; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await session.DetectAsync(batch, (_, _) => { }, default);
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / batch.Length);
        }

        // The input tensor alone is 2 MB, a decoded picture 1 MB; the rest is boxes.
        Assert.InRange(least, 0, 64 * 1024);
    }
}
