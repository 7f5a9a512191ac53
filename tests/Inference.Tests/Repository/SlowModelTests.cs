using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Tests.Repository;

/// <summary>Graphs of a few kilobytes that the runtime takes minutes to load: each is a separate problem, and the others are served.</summary>
public sealed class SlowModelTests : IDisposable
{
    /// <summary>A number that takes minutes, not hours: a step of the runtime that has started continues to its end.</summary>
    private const int Functions = 25;

    private static readonly TimeSpan Enough = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("detection-slow-").FullName;

    [Fact]
    public void Slow_files_at_the_start_delay_no_other_model()
    {
        Slow("a-slow", 1);
        Slow("b-slow", 2);
        Good("default");
        Good("z-good");
        var order = new List<string>();
        var repository = Open(TimeSpan.FromMinutes(5));
        repository.Changed += models => order.AddRange(models.Models.Keys.Except(order).ToList());

        var found = repository.Scan();

        Assert.Equal(["default", "z-good"], order);
        Assert.Equal(["a-slow", "b-slow"], found.Problems.Keys.Order());
        Assert.All(found.Problems.Values, problem => Assert.Contains("has been loading since", problem, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Slow_file_in_a_running_process_is_abandoned_until_it_is_removed()
    {
        Good("default");
        var repository = Open(TimeSpan.FromSeconds(4));
        using var stop = new CancellationTokenSource();
        var watching = repository.WatchAsync(stop.Token);
        await Until(() => repository.Current.Models.Count == 1, "the default model is found");

        Slow("a-slow", 3);
        Slow("other", 4);
        Good("z-good");
        await Until(() => repository.Current.Models.ContainsKey("z-good"), "a model behind slow ones is found");
        await Until(() => Problem("a-slow").Contains("could not be loaded within 00:00:04", StringComparison.Ordinal), "the slow one is given up");

        // The same bytes under another name are recognised.
        File.Copy(Path.Combine(_folder, "a-slow", "model.onnx"), Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "copy")).FullName, "model.onnx"));
        await Until(() => Problem("copy").Contains("could not be loaded", StringComparison.Ordinal), "its copy is not tried");

        Directory.Delete(Path.Combine(_folder, "a-slow"), recursive: true);
        Good("other");
        await Until(
            () => repository.Current.Models.ContainsKey("other") && repository.Current.Problems.Keys.SequenceEqual(["copy"]),
            "a file that was removed is no problem any more, and one that was replaced is served");
        Assert.Equal(["default", "other", "z-good"], repository.Current.Models.Keys.Order());

        Slow("last", 5);
        await Until(() => Problem("last").Length > 0, "it is being loaded");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching.WaitAsync(Enough));

        string Problem(string name) => repository.Current.Problems.GetValueOrDefault(name, "");
    }

    [Fact]
    public async Task Device_abandons_a_slow_graph_and_serves_others()
    {
        var good = ModelFile.Read(Good("good"));
        var slow = good with { Name = "slow", Version = "0123456789ab", Path = Path.Combine(Slow("slow", 6), "model.onnx") };
        await using var device = new CpuDevice(
            new DeviceOptions { CpuWorkers = 1, LoadTimeout = TimeSpan.FromSeconds(12) }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        var loading = device.LoadAsync(slow, default);

        await using var session = await device.LoadAsync(good, default).WaitAsync(Enough);

        Assert.False(loading.IsCompleted);
        var error = await Assert.ThrowsAsync<ModelException>(() => loading.WaitAsync(Enough));
        Assert.Contains("Model slow could not be loaded within", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ModelException>(() => device.LoadAsync(slow, default).WaitAsync(Enough));
        await using var again = await device.LoadAsync(good, default).WaitAsync(Enough);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Task Until(Func<bool> condition, string because) => Eventually.Async(condition, Enough, because);

    private ModelRepository Open(TimeSpan limit) => new(
        Options.Create(new ModelOptions
        {
            Directory = _folder,
            Default = "default",
            SettleTime = TimeSpan.FromMilliseconds(50),
            RescanInterval = TimeSpan.FromSeconds(1),
            LoadTimeout = limit,
        }),
        TimeProvider.System,
        NullLogger<ModelRepository>.Instance);

    private string Good(string name) => Lay(name, static _ => { });

    /// <param name="name">Name of the model.</param>
    /// <param name="edition">Distinguishes its bytes from others in this process.</param>
    private string Slow(string name, int edition) => Lay(name, graph =>
    {
        graph.CallDoubling("images", Functions);
        graph.Metadata("edition", $"{edition}");
    });

    private string Lay(string name, Action<Onnx.OnnxGraph> change)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        var graph = BrightnessModel.Graph().Metadata("names", "['x']");
        change(graph);
        string next = graph.Save(Path.Combine(_folder, "next"));
        File.Move(next, Path.Combine(folder, "model.onnx"), overwrite: true);
        return folder;
    }
}
