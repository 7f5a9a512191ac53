using System.Runtime.InteropServices;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Onnx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Inference.Tests.Devices;

/// <summary>Loaded and unloaded models leave nothing behind. Runs alone, because it measures the whole process.</summary>
[Collection(nameof(AllocationTests))]
public sealed class UnloadingTests : IDisposable
{
    private const string TemporaryFolder = "TMPDIR";
    private static readonly ModelSource NanoDet = ModelFile.Read(Path.Combine(Testing.Repository.Root, "models", "nanodet-g"));

    private readonly string? _temporary = Environment.GetEnvironmentVariable(TemporaryFolder);
    private readonly string _folder = Directory.CreateTempSubdirectory("detection-unloading-").FullName;

    // Other processes that load models at the same time then do not change the counted files.
    public UnloadingTests() => Environment.SetEnvironmentVariable(TemporaryFolder, _folder);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(TemporaryFolder, _temporary);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Memory_of_an_unloaded_model_returns_to_the_system()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "malloc_trim", out _), "the allocator is not glibc's");
        await using var device = new CpuDevice(new DeviceOptions { CpuWorkers = 2 }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        for (var i = 0; i < 6; i++)
        {
            await LoadAndUnloadAsync(device, NanoDet);
        }

        var kept = ProcessMeasures.ResidentBytes(Environment.ProcessId);
        _ = malloc_trim(0);

        // Without returning memory it is about 100 MB.
        Assert.InRange(kept - ProcessMeasures.ResidentBytes(Environment.ProcessId), long.MinValue, 24 << 20);
    }

    [Fact]
    public async Task Hundred_loads_and_unloads_leave_no_memory_threads_descriptors_or_files()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "what a process holds is read from /proc");
        await using var device = new CpuDevice(new DeviceOptions { CpuWorkers = 2 }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await ComeAndGoAsync(device, 20);
        var (memory, threads, descriptors, files) = Measure();

        await ComeAndGoAsync(device, 100);
        var after = Measure();

        Assert.InRange(after.Memory - memory, long.MinValue, 32 << 20);
        Assert.InRange(after.Threads - threads, int.MinValue, 4);
        Assert.InRange(after.Descriptors - descriptors, int.MinValue, 4);
        Assert.Equal(files, after.Files);
    }

    [Fact]
    public void A_graph_is_tried_once_for_each_source_and_again_when_its_file_has_changed()
    {
        var first = OneBoxDetector.Write(_folder, 8);
        var graph = ModelGraph.Read(first, new RunBounds(GraphTrial.MaxRun));
        Assert.Same(graph, ModelGraph.Read(first, new RunBounds(GraphTrial.MaxRun)));
        var second = ModelFile.Read(_folder);
        Assert.NotSame(graph, ModelGraph.Read(second, new RunBounds(GraphTrial.MaxRun)));

        // The second version under the name of the first: it is not kept.
        var stale = ModelFile.Read(_folder);
        OneBoxDetector.Write(_folder, 10);
        Assert.NotSame(ModelGraph.Read(stale, new RunBounds(GraphTrial.MaxRun)), ModelGraph.Read(stale, new RunBounds(GraphTrial.MaxRun)));
    }

    private async Task ComeAndGoAsync(CpuDevice device, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await LoadAndUnloadAsync(device, OneBoxDetector.Write(_folder, 1 + i));
        }
    }

    private static async Task LoadAndUnloadAsync(CpuDevice device, ModelSource model)
    {
        await using var session = await device.LoadAsync(model, default);
        PictureOutcome? outcome = null;
        await session.DetectAsync([new PictureWork(Photos.Get(1), null, DateTimeOffset.MaxValue)], (_, one) => outcome = one, default);
        Assert.Equal(OutcomeKind.Detected, outcome!.Kind);
    }

    private (long Memory, int Threads, int Descriptors, int Files) Measure()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var process = Environment.ProcessId;
        return (ProcessMeasures.ResidentBytes(process), ProcessMeasures.Threads(process), ProcessMeasures.Descriptors(process),
            Directory.GetDirectories(_folder, "detection-model-*").Length);
    }

    [DllImport("libc")]
    private static extern int malloc_trim(nint pad);
}
