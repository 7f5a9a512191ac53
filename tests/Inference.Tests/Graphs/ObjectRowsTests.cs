using Detection.Inference.Devices;
using Detection.Inference.Devices.Batched;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Detection.Inference.Tests.Onnx;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Tests.Graphs;

/// <summary>
/// Graphs whose outputs have a row for each object (onnxruntime #8144, #13090, vision #2251, mmdeploy #2737, yolov7 #425): a picture has its own
/// boxes, whatever pictures came before.
/// </summary>
public sealed class ObjectRowsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rows").FullName;

    public static TheoryData<string, bool, bool, bool> Graphs()
    {
        var data = new TheoryData<string, bool, bool, bool>();
        foreach (var (form, hasBatch) in QuadrantDetector.Forms)
        {
            foreach (var always in new[] { false, true })
            {
                data.Add(form, false, always, false);
                data.Add(form, false, always, true);
                if (hasBatch)
                {
                    data.Add(form, true, always, false);
                    data.Add(form, true, always, true);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public async Task Each_picture_has_its_own_rows_whatever_came_before(string form, bool openBatch, bool always, bool batched)
    {
        var model = Write(form, openBatch, always);
        await using var device = Open(batched);
        await using var one = await device.LoadAsync(model, default);
        await using var other = await device.LoadAsync(model, default);
        const int Seed = 20251127;
        var random = new Random(Seed);

        // None, growing, shrinking, none again; then mixed, with two sessions and several batches of each concurrently.
        foreach (var quadrants in new[] { 0, 1, 3, 7, 15, 7, 8, 0, 15, 0 })
        {
            await AssertSeen(one, always, quadrants);
        }

        await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(i => (Session: i % 2 == 0 ? one : other, Pictures: Enumerable.Range(0, 1 + (3 * i)).Select(_ => random.Next(16)).ToArray()))
            .ToArray()
            .Select(batch => AssertSeen(batch.Session, always, batch.Pictures)));
    }

    [Theory]
    [InlineData("torchvision", false)]
    [InlineData("torchvision", true)]
    [InlineData("mmdetection", false)]
    [InlineData("mmdetection", true)]
    [InlineData("yolov7", true)]
    public async Task Failed_run_does_not_change_the_rows_of_the_next(string form, bool batched)
    {
        var model = Write(form, openBatch: form == "mmdetection", always: false, throwsOnBlue: true);
        await using var device = Open(batched);
        await using var session = await device.LoadAsync(model, default);
        foreach (var quadrants in new[] { 3, 0, 15, 1 })
        {
            var outcomes = await Detect(session, QuadrantDetector.Picture(quadrants), QuadrantDetector.Blue(), QuadrantDetector.Picture(15 - quadrants));

            Assert.IsType<OnnxRuntimeException>(outcomes[1].Error);
            Assert.Equal(QuadrantDetector.Expected(quadrants), QuadrantDetector.Text(outcomes[0].Boxes));
            Assert.Equal(QuadrantDetector.Expected(15 - quadrants), QuadrantDetector.Text(outcomes[2].Boxes));
            await AssertSeen(session, false, quadrants, 15 - quadrants, 6);
        }
    }

    [Fact]
    public void Rows_of_objects_are_distinguished_from_rows_of_pictures()
    {
        foreach (var (form, hasBatch) in QuadrantDetector.Forms)
        {
            foreach (var always in new[] { false, true })
            {
                var graph = ModelGraph.Read(Write(form, openBatch: true, always), new RunBounds(GraphTrial.MaxRun));

                Assert.All(graph.Outputs.Where(o => o.Name is not ("boxes" or "scores") || form != "onnx"), o => Assert.Equal(hasBatch, o.HasBatch));
                Assert.Equal(hasBatch, graph.TakesAnyBatch);
            }
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ModelSource Write(string form, bool openBatch, bool always, bool throwsOnBlue = false)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        QuadrantDetector.Build(form, openBatch ? "batch" : 1, always, throwsOnBlue).Save(Path.Combine(folder, "model.onnx"));
        File.WriteAllText(Path.Combine(folder, "model.json"), QuadrantDetector.Manifest(form));
        return ModelFile.Read(folder);
    }

    private static IInferenceDevice Open(bool batched)
    {
        var options = new DeviceOptions { CpuWorkers = 2, Cuda = new CudaOptions { MaxBatch = 8 } };
        return batched
            ? new BatchDevice("test:0", "test", "test", new CpuProvider(), options, TimeProvider.System, NullLogger.Instance)
            : new CpuDevice(options, TimeProvider.System, NullLogger<CpuDevice>.Instance);
    }

    private static async Task AssertSeen(IModelSession session, bool always, params int[] pictures)
    {
        var outcomes = await Detect(session, [.. pictures.Select(QuadrantDetector.Picture)]);

        Assert.All(outcomes, outcome => Assert.Null(outcome.Error));
        Assert.Equal(pictures.Select(p => QuadrantDetector.Expected(p, always)), outcomes.Select(o => QuadrantDetector.Text(o.Boxes)));
    }

    private static async Task<PictureOutcome[]> Detect(IModelSession session, params byte[][] pictures)
    {
        var outcomes = new PictureOutcome[pictures.Length];
        await session.DetectAsync(
            [.. pictures.Select(p => new PictureWork(p, null, DateTimeOffset.MaxValue))],
            (i, outcome) => outcomes[i] = outcome,
            default).WaitAsync(TimeSpan.FromMinutes(1));
        return outcomes;
    }
}
