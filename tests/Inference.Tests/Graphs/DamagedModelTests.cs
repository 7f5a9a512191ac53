using System.Globalization;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Batched;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Detection.Inference.Tests.Onnx;
using Detection.Objects;
using Detection.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Inference.Tests.Graphs;

/// <summary>
/// Damaged model files: each is loaded or refused with a sentence, and a good model returns the same boxes as before. The setting
/// DETECTION_TEST_MUTATIONS is their number, DETECTION_TEST_SEED the first seed. A file that ends the process stays in the temporary folder.
/// </summary>
public sealed class DamagedModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("detection-damaged-").FullName;
    private readonly ITestOutputHelper _output;

    public DamagedModelTests(ITestOutputHelper output) => _output = output;

    [Fact]
    public async Task A_damaged_file_is_loaded_or_refused_and_a_good_model_answers_as_before()
    {
        var count = Setting("DETECTION_TEST_MUTATIONS", 200);
        var first = Setting("DETECTION_TEST_SEED", 1);
        var files = Files();
        await using var cpu = new CpuDevice(new DeviceOptions { CpuWorkers = 2 }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await using var batched = new BatchDevice(
            "test:0", "test", "test", new CpuProvider(), new DeviceOptions { CpuWorkers = 2, Cuda = new CudaOptions { MaxBatch = 2 } }, TimeProvider.System, NullLogger.Instance);
        await using var good = await cpu.LoadAsync(ModelFile.Read(Path.Combine(Testing.Repository.Root, "models", "nanodet-g")), default);
        var before = await Boxes(good);
        Assert.NotEmpty(before);
        var (loaded, refused) = (0, 0);
        for (var seed = first; seed < first + count; seed++)
        {
            _output.WriteLine($"seed {seed}");
            var random = new Random(seed);

            // The large file rarely: it takes a hundred times as long as the others.
            var (file, manifest) = seed % 50 == 0 ? files[0] : files[random.Next(1, files.Count)];
            var folder = Path.Combine(_folder, "damaged");
            Directory.CreateDirectory(folder);
            File.WriteAllBytes(Path.Combine(folder, "model.onnx"), new OnnxMutation(seed).Of(file, files[random.Next(1, files.Count)].File));
            File.WriteAllText(Path.Combine(folder, "model.json"), manifest);
            if (await TryLoad(seed % 3 == 0 ? batched : cpu, folder) is { } message)
            {
                Assert.InRange(message.Length, 10, 2100);
                refused++;
            }
            else
            {
                loaded++;
            }

            if (seed % 25 == 0)
            {
                Assert.Equal(before, await Boxes(good));
            }
        }

        Assert.Equal(before, await Boxes(good));
        _output.WriteLine($"{loaded} loaded, {refused} refused");
        Assert.True(loaded > count / 20 && refused > count / 20, $"{loaded} loaded, {refused} refused");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    /// <summary>Graphs of every family with the manifests beside them; the first is a real network.</summary>
    private static List<(byte[] File, string Manifest)> Files()
    {
        var nanodet = Path.Combine(Testing.Repository.Root, "models", "nanodet-g");
        var spec = new InputSpec { Width = CellDetector.Size, Height = CellDetector.Size };
        List<(byte[], string)> files = [(File.ReadAllBytes(Path.Combine(nanodet, "model.onnx")), File.ReadAllText(Path.Combine(nanodet, "model.json")))];
        foreach (var (form, hasBatch) in QuadrantDetector.Forms)
        {
            files.Add((QuadrantDetector.Build(form, hasBatch ? "batch" : 1).ToBytes(), QuadrantDetector.Manifest(form)));
        }

        foreach (var family in new[] { "nanodet", "yolox", "yolov5", "yolov8", "yolov10", "efficientdet", "detr", "rt-detr", "d-fine", "ssd" })
        {
            files.Add((CellDetector.Build(family, spec, "batch").ToBytes(), """{ "labels": ["red", "blue"] }"""));
            files.Add((CellDetector.Build(family, spec, 1, open: true).Metadata("imgsz", "[64, 64]").Metadata("names", "['red', 'blue']").ToBytes(), "{ }"));
        }

        return files;
    }

    /// <summary>Loads a model and runs a picture. Returns the sentence when it is refused; any other exception fails the test.</summary>
    private static async Task<string?> TryLoad(IInferenceDevice device, string folder)
    {
        try
        {
            await using var session = await device.LoadAsync(ModelFile.Read(folder), default).WaitAsync(TimeSpan.FromMinutes(10));
            await Look(session, [QuadrantDetector.Picture(5), QuadrantDetector.Picture(15)]);
            return null;
        }
        catch (ModelException e)
        {
            return e.Message;
        }
    }

    private static async Task<DetectedObject[]> Boxes(IModelSession session)
    {
        var outcome = (await Look(session, [Photos.Get(0)]))[0];
        Assert.Null(outcome.Error);
        return outcome.Boxes;
    }

    private static async Task<PictureOutcome[]> Look(IModelSession session, byte[][] pictures)
    {
        var outcomes = new PictureOutcome[pictures.Length];
        await session.DetectAsync(
            [.. pictures.Select(p => new PictureWork(p, null, DateTimeOffset.MaxValue))], (i, outcome) => outcomes[i] = outcome, default)
            .WaitAsync(TimeSpan.FromMinutes(10));
        return outcomes;
    }
}
