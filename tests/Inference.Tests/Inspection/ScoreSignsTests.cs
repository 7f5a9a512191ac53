using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Inspection;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Onnx;
using Detection.Objects;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Detection.Inference.Tests.Inspection;

/// <summary>Twins of a detector whose scores an export lost: they load and run and find nothing, or nonsense.</summary>
public sealed class ScoreSignsTests : IDisposable
{
    private static readonly InputSpec Input = new() { Width = CellDetector.Size, Height = CellDetector.Size };

    private readonly string _folder = Directory.CreateTempSubdirectory("detection-scores-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("yolov8")]
    [InlineData("nanodet")]
    [InlineData("yolov6")]
    public async Task FindAsync_scores_that_are_all_the_same_have_a_sign_and_others_have_none(string family)
    {
        Assert.Null(await SignAsync(family, null));
        Assert.Equal("every score is 0", await SignAsync(family, (graph, scores) => graph.Node("Mul", [scores, graph.Floats([0])])));
        Assert.Equal("every score is 0.25", await SignAsync(family, (graph, scores) => Constant(graph, scores, 0.25f)));
        Assert.Null(await SignAsync(family, (graph, scores) => graph.Node("Mul", [scores, graph.Floats([0.001f])])));
        Assert.Null(await SignAsync(family, null));
    }

    [Theory]
    [InlineData("yolov8")]
    [InlineData("nanodet")]
    [InlineData("yolov10")]
    public async Task Known_picture_finds_scores_that_are_no_scores(string family)
    {
        Assert.Contains("NaN instead of numbers", (await KnownAsync(family, (graph, scores) => Constant(graph, scores, float.NaN)))?.Message, StringComparison.Ordinal);
        Assert.Contains("the graph returned the score ", (await KnownAsync(family, (graph, scores) => graph.Node("Add", [scores, graph.Floats([3])])))?.Message, StringComparison.Ordinal);
        Assert.Null(await KnownAsync(family, null));
    }

    /// <summary>The boxes kept of a letterboxed picture are mostly those of the padding, which are dropped.</summary>
    [Theory]
    [InlineData(new float[] { 0 }, new float[] { }, "every score is 0")]
    [InlineData(new float[] { }, new float[] { 0, 0 }, "every score is 0")]
    [InlineData(new float[] { }, new float[] { }, "there is no box, whatever its score")]
    [InlineData(new float[] { 0.001f, 0 }, new float[] { 0 }, null)]
    [InlineData(new float[] { 0.3f }, new float[] { 0.3f }, null)]
    [InlineData(new float[] { 0 }, new float[] { 0.1f }, null)]
    public async Task FindAsync_of_few_boxes_has_a_sign_only_when_no_score_is_above_0(float[] known, float[] noise, string? expected)
    {
        var answers = new Queue<float[]>([known, noise]);

        var sign = await ScoreSigns.FindAsync(_ => Task.FromResult<IReadOnlyCollection<DetectedObject>?>([.. answers.Dequeue().Select(score => new DetectedObject(0, score, 0, 0, 1, 1))]));

        Assert.Equal(expected, sign);
    }

    [Theory]
    [InlineData("ssd", false)]
    [InlineData("yolov10", false)]
    [InlineData("yolo26", false)]
    [InlineData("yolov8", true)]
    [InlineData("rt-detr", true)]
    public void CanTell_leaves_out_graphs_that_choose_the_boxes(string family, bool expected) => Assert.Equal(expected, ScoreSigns.CanTell(family));

    private static string Constant(OnnxGraph graph, string scores, float value) =>
        graph.Node("Add", [graph.Node("Mul", [scores, graph.Floats([0])]), graph.Floats([value])]);

    private Task<string?> SignAsync(string family, Func<OnnxGraph, string, string>? change) => RunAsync(family, change, read =>
        ScoreSigns.FindAsync(async picture => await read(picture, ScoreSigns.Floor, ScoreSigns.Iou) is { Error: null } outcome ? outcome.Boxes : null));

    private Task<Exception?> KnownAsync(string family, Func<OnnxGraph, string, string>? change) =>
        RunAsync(family, change, async read => (await read(KnownPicture.Bytes, null, null)).Error);

    private async Task<T> RunAsync<T>(
        string family, Func<OnnxGraph, string, string>? change, Func<Func<ReadOnlyMemory<byte>, float?, float?, Task<PictureOutcome>>, Task<T>> body)
    {
        CellDetector.Build(family, Input, 1, change: change).Metadata("names", "['red', 'blue']").Save(Path.Combine(_folder, "model.onnx"));
        File.WriteAllText(Path.Combine(_folder, "model.json"), $$"""{ "family": "{{(family == "yolov6" ? "yolov5" : family)}}" }""");
        await using var device = new CpuDevice(new DeviceOptions { CpuWorkers = 1 }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await using var session = await device.LoadAsync(ModelFile.Read(_folder), default);
        return await body(async (picture, floor, iou) =>
        {
            PictureOutcome? outcome = null;
            await session.DetectAsync([new PictureWork(picture, iou, DateTimeOffset.MaxValue, floor)], (_, one) => outcome = one, default);
            return outcome!;
        });
    }
}
