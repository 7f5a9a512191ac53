using Detection.Inference.Devices;
using Detection.Inference.Devices.Batched;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Inference.Tests.Devices;
using Detection.Inference.Tests.Onnx;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Tests.Graphs;

/// <summary>Graphs of all kinds of inputs and outputs on both kinds of device.</summary>
public sealed class GraphVariantTests : IDisposable
{
    private readonly BrightnessModel _models = new();

    public static TheoryData<bool, int, TensorElement, TensorLayout> Inputs()
    {
        var data = new TheoryData<bool, int, TensorElement, TensorLayout>();
        foreach (bool batched in new[] { false, true })
        {
            foreach (int batch in new[] { 0, 1, 4 })
            {
                data.Add(batched, batch, TensorElement.Float32, TensorLayout.Nchw);
            }

            data.Add(batched, 0, TensorElement.Float16, TensorLayout.Nchw);
            data.Add(batched, 0, TensorElement.UInt8, TensorLayout.Nhwc);
            data.Add(batched, 1, TensorElement.Float32, TensorLayout.Nhwc);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task Each_picture_gets_its_own_row(bool batched, int batch, TensorElement element, TensorLayout layout) =>
        await AssertSeen(batched, _models.Create(batch, element, layout));

    [Theory]
    [InlineData(false, BrightnessModel.Scores.Half, 0)]
    [InlineData(true, BrightnessModel.Scores.Half, 0)]
    [InlineData(false, BrightnessModel.Scores.OpenShape, 0)]
    [InlineData(true, BrightnessModel.Scores.OpenShape, 0)]
    [InlineData(true, BrightnessModel.Scores.OpenShape, 1)]
    internal async Task Outputs_of_other_types_and_open_shapes_are_read(bool batched, BrightnessModel.Scores scores, int batch) =>
        await AssertSeen(batched, _models.Create(batch, scores: scores));

    [Theory]
    [InlineData(false, 0, TensorElementType.Int64)]
    [InlineData(true, 0, TensorElementType.Int64)]
    [InlineData(true, 1, TensorElementType.Int64)]
    [InlineData(false, 0, TensorElementType.Float)]
    [InlineData(true, 0, TensorElementType.Float)]
    [InlineData(true, 1, TensorElementType.Int32)]
    [InlineData(false, 1, TensorElementType.Float16)]
    [InlineData(false, 1, TensorElementType.Double)]
    public async Task Graph_with_a_size_input_gets_the_size_of_its_input(bool batched, int batch, TensorElementType type) =>
        await AssertSeen(batched, _models.Create(batch, hasSize: true, sizeType: type));

    [Fact]
    public async Task A_manifest_that_does_not_fit_the_graph_says_which_line_to_correct()
    {
        var model = _models.Create();

        await AssertRefused(With(model, input => input with { Width = 64 }), "size or the layout of input");
        await AssertRefused(With(model, input => input with { Layout = TensorLayout.Nhwc }), "size or the layout of input");
        await AssertRefused(With(model, input => input with { Element = TensorElement.Float16 }), "input.element");
        await AssertRefused(With(model, input => input with { Name = "pictures" }), "input.name");
    }

    [Fact]
    public async Task File_that_is_not_a_model_is_refused()
    {
        var model = _models.Create();
        await File.WriteAllBytesAsync(model.Path, [1, 2, 3, 4]);

        await AssertRefused(model, "cannot be loaded");
    }

    [Fact]
    public async Task Fixed_batch_without_separate_outputs_is_refused()
    {
        var graph = new OnnxGraph();
        string input = graph.Input("images", TensorElementType.Float, 4, 3, 32, 32);
        graph.Output("scores", graph.Node("ReduceMean", [input], ("axes", new long[] { 0 }), ("keepdims", 0)), TensorElementType.Float, 3, 32, 32);
        var model = _models.Create();
        graph.Save(model.Path);

        await AssertRefused(model, "export it with batch 1");
    }

    [Theory]
    [InlineData(float.NaN, "the graph returned NaN")]
    [InlineData(7f, "the graph returned the score 7, and scores go from 0 to 1; correct")]
    public async Task Invalid_outputs_fail_the_picture(float score, string expected)
    {
        const int Cells = 16 + 4 + 1;
        var graph = new OnnxGraph();
        string input = graph.Input("images", TensorElementType.Float, "batch", 3, 32, 32);
        string none = graph.Node(
            "Mul", [graph.Node("ReduceMean", [graph.Node("Reshape", [input, graph.Longs(0, -1, 1)])], ("axes", new long[] { 1 })), graph.Floats([0])]);
        graph.Output("scores", graph.Node("Add", [graph.Floats([.. Enumerable.Repeat(score, Cells)], 1, Cells, 1), none]), TensorElementType.Float, "batch", Cells, 1);
        graph.Output("distances", graph.Node("Add", [graph.Floats(new float[Cells * 44], 1, Cells, 44), none]), TensorElementType.Float, "batch", Cells, 44);
        var model = _models.Create();
        graph.Save(model.Path);
        await using var device = Open(false);
        await using var session = await device.LoadAsync(model, default);
        Exception? error = null;

        await session.DetectAsync(
            [new PictureWork(BrightnessModel.Grey(100), null, DateTimeOffset.MaxValue)], (_, outcome) => error = outcome.Error, default)
            .WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Contains(expected, Assert.IsType<ModelException>(error).Message, StringComparison.Ordinal);
    }

    /// <summary>As written by an exporter that traced one picture and was asked for an open batch dimension (Co-DETR #26).</summary>
    [Fact]
    public async Task A_graph_that_leaves_the_batch_open_and_takes_one_picture_is_run_on_single_pictures()
    {
        const int Cells = 16 + 4 + 1;
        var graph = new OnnxGraph();
        string input = graph.Input("images", TensorElementType.Float, "batch", 3, 32, 32);
        string one = graph.Node("Reshape", [graph.Node("ReduceMean", [graph.Node("Reshape", [input, graph.Longs(1, 3 * 32 * 32)])], ("axes", new long[] { 1 })), graph.Longs(1, 1, 1)]);
        string level = graph.Node("Mul", [one, graph.Floats([1f / 255], 1)]);
        graph.Output("scores", graph.Node("Add", [level, graph.Floats(new float[Cells], 1, Cells, 1)]), TensorElementType.Float, "batch", Cells, 1);
        graph.Output("distances", graph.Node("Add", [level, graph.Floats(new float[Cells * 44], 1, Cells, 44)]), TensorElementType.Float, "batch", Cells, 44);
        var model = _models.Create();
        graph.Save(model.Path);

        await AssertSeen(batched: false, model);
        await AssertSeen(batched: true, model);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Graph_that_needs_too_much_memory_is_refused(bool batched)
    {
        // Just above 4 GiB, requested by a few bytes of the graph. Without a limit such an allocation succeeds, and filling it may end the process.
        const int Cells = 16 + 4 + 1;
        var graph = new OnnxGraph();
        string input = graph.Input("images", TensorElementType.Float, 1, 3, 32, 32);
        string mean = graph.Node("ReduceMean", [input], ("keepdims", 0));
        string huge = graph.Node("ReduceMean", [graph.Node("Expand", [mean, graph.Longs(33_000, 33_000)])], ("keepdims", 0));
        graph.Output("scores", graph.Node("Add", [huge, graph.Floats(new float[Cells], 1, Cells, 1)]), TensorElementType.Float, 1, Cells, 1);
        graph.Output("distances", graph.Node("Add", [huge, graph.Floats(new float[Cells * 44], 1, Cells, 44)]), TensorElementType.Float, 1, Cells, 44);
        var model = _models.Create();
        graph.Save(model.Path);

        await using var device = Open(batched);
        var error = await Assert.ThrowsAsync<ModelException>(() => device.LoadAsync(model, default));

        Assert.Contains("takes more than 4095 MiB of memory", error.Message, StringComparison.Ordinal);
        await AssertSeen(batched, _models.Create());
    }

    [Fact]
    public void A_graph_that_does_not_end_is_ended()
    {
        var body = new OnnxGraph { Prefix = "b" };
        body.Input("iteration", TensorElementType.Int64);
        string go = body.Input("go", TensorElementType.Bool);
        string number = body.Input("number", TensorElementType.Float, 1);
        body.Output("go_on", go, TensorElementType.Bool);
        body.Output("next", number, TensorElementType.Float, 1);
        var graph = new OnnxGraph();
        string input = graph.Input("images", TensorElementType.Float, 1, 3, 32, 32);
        string start = graph.Node("Reshape", [graph.Node("ReduceMean", [input], ("keepdims", 0)), graph.Longs(1)]);
        string most = graph.Node("Reshape", [graph.Longs(long.MaxValue), graph.Longs([])]);
        graph.Output("scores", graph.Node("Loop", [most, "", start], ("body", body)), TensorElementType.Float, 1);
        using var session = new InferenceSession(graph.ToBytes());
        var images = new PictureInput("images", session.InputMetadata["images"], TensorLayout.Nchw, 32, 32);
        var trial = new GraphTrial(session, images, [], new RunBounds(TimeSpan.FromMilliseconds(300)));

        Assert.Throws<RunTimeoutException>(() => trial.Run(1, TrialPicture.Black));
    }

    public void Dispose() => _models.Dispose();

    private static ModelSource With(ModelSource model, Func<InputSpec, InputSpec> change) =>
        model with { Manifest = model.Manifest with { Input = change(model.Manifest.Input) } };

    private static async Task AssertRefused(ModelSource model, string expected)
    {
        await using var device = Open(false);
        var error = await Assert.ThrowsAsync<ModelException>(() => device.LoadAsync(model, default));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(model.Name, error.Message, StringComparison.Ordinal);
    }

    private static IInferenceDevice Open(bool batched)
    {
        var options = new DeviceOptions { CpuWorkers = 2, Cuda = new CudaOptions { MaxBatch = 8 } };
        return batched
            ? new BatchDevice("test:0", "test", "test", new CpuProvider(), options, TimeProvider.System, NullLogger.Instance)
            : new CpuDevice(options, TimeProvider.System, NullLogger<CpuDevice>.Instance);
    }

    private static async Task AssertSeen(bool batched, ModelSource model)
    {
        await using var device = Open(batched);
        await using var session = await device.LoadAsync(model, default);
        int[] levels = [.. Enumerable.Range(0, 11).Select(i => 10 + (i * 20))];
        var outcomes = new PictureOutcome[levels.Length];

        await session.DetectAsync(
            [.. levels.Select(level => new PictureWork(BrightnessModel.Grey(level), null, DateTimeOffset.MaxValue))],
            (i, outcome) => outcomes[i] = outcome,
            default).WaitAsync(TimeSpan.FromMinutes(1));

        Assert.All(outcomes, outcome => Assert.Null(outcome.Error));
        Assert.Equal(levels, outcomes.Select(outcome => BrightnessModel.Seen(outcome.Boxes)));
    }
}
