using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Inference.Tests.Onnx;
using Detection.Inference.Tests.Pictures;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime.Tensors;
using SkiaSharp;

namespace Detection.Inference.Tests.Devices;

/// <summary>
/// A tiny graph, read as a NanoDet, whose scores are the brightness of the picture, 0 to 1. So a picture that gets the row of another one, or a wrong
/// input, is detected.
/// </summary>
internal sealed class BrightnessModel : IDisposable
{
    /// <summary>Cells of 8, 16 and 32 pixels in 32 × 32.</summary>
    private const int Cells = 16 + 4 + 1;

    private readonly string _folder = Directory.CreateTempSubdirectory("detection-devices-").FullName;

    /// <summary>Form of the scores in the output.</summary>
    internal enum Scores
    {
        /// <summary>With a shape that the graph declares.</summary>
        Plain,

        /// <summary>As 16-bit numbers.</summary>
        Half,

        /// <summary>With a shape that only a run shows.</summary>
        OpenShape,
    }

    /// <summary>Runs that do not end.</summary>
    internal enum Endless
    {
        /// <summary>All end.</summary>
        None,

        /// <summary>Runs with a white picture loop for ever.</summary>
        LoopOnWhite,

        /// <summary>All runs loop for ever.</summary>
        Loop,

        /// <summary>Runs with a white picture stay for about a minute in one operation.</summary>
        OperationOnWhite,
    }

    /// <summary>The model in a file; for the parameters see <see cref="Graph"/>.</summary>
    public ModelSource Create(
        int batch = 0,
        TensorElement element = TensorElement.Float32,
        TensorLayout layout = TensorLayout.Nchw,
        Scores scores = Scores.Plain,
        bool throwsOnWhite = false,
        bool hasSize = false,
        TensorElementType sizeType = TensorElementType.Int64,
        Endless endless = Endless.None) => new(
            "brightness",
            "0123456789ab",
            Graph(batch, element, layout, scores, throwsOnWhite, hasSize, sizeType, endless).Save(Path.Combine(_folder, $"{Guid.NewGuid():N}.onnx")),
            new ModelManifest
            {
                Family = "nanodet",
                Labels = ["picture"],
                ScoreFloor = 0,
                Input = new InputSpec { Width = 32, Height = 32, Scale = 1, Element = element, Layout = layout, Name = "images" },
            });

    /// <param name="batch">Pictures of a run; 0 for any.</param>
    /// <param name="element">Type of the input.</param>
    /// <param name="layout">Order of the input's dimensions.</param>
    /// <param name="scores">Form of the scores in the output.</param>
    /// <param name="throwsOnWhite">Whether a run with a white picture fails.</param>
    /// <param name="hasSize">Whether the graph has an input for the size, and returns wrong scores for any size but that of its input.</param>
    /// <param name="sizeType">Type of the values of the size.</param>
    /// <param name="endless">Runs that do not end.</param>
    public static OnnxGraph Graph(
        int batch = 0,
        TensorElement element = TensorElement.Float32,
        TensorLayout layout = TensorLayout.Nchw,
        Scores scores = Scores.Plain,
        bool throwsOnWhite = false,
        bool hasSize = false,
        TensorElementType sizeType = TensorElementType.Int64,
        Endless endless = Endless.None)
    {
        var graph = new OnnxGraph();
        var type = element switch
        {
            TensorElement.Float32 => TensorElementType.Float,
            TensorElement.Float16 => TensorElementType.Float16,
            _ => TensorElementType.UInt8,
        };
        OnnxGraph.Dim first = batch == 0 ? "batch" : batch;
        string input = layout == TensorLayout.Nchw
            ? graph.Input("images", type, first, 3, 32, 32)
            : graph.Input("images", type, first, 32, 32, 3);

        // The first constant, v0: one weight of a graph that a test can replace.
        string weight = graph.Floats([1f / 255], 1);
        string values = graph.Node("Cast", [input], ("to", (int)TensorElementType.Float));
        string grey = graph.Node("ReduceMean", [values], ("axes", new long[] { 1, 2, 3 }), ("keepdims", 1));
        string rows = graph.Node("Reshape", [graph.Node("Mul", [grey, weight]), graph.Longs(-1, 1, 1)]);
        string spread = graph.Node("Add", [rows, graph.Floats(new float[Cells], 1, Cells, 1)]);
        if (throwsOnWhite)
        {
            string brightest = graph.Node("ReduceMax", [values], ("keepdims", 0));
            string index = graph.Node(
                "Cast",
                [graph.Node("Div", [brightest, graph.Floats([255], 1)])],
                ("to", (int)TensorElementType.Int64));

            // Only index 0 exists.
            spread = graph.Node("Add", [spread, graph.Node("Gather", [graph.Floats([0], 1), index])]);
        }

        if (endless != Endless.None)
        {
            spread = graph.Node("Add", [spread, Wait(graph, values, endless)]);
        }

        if (hasSize)
        {
            string size = graph.Node(
                "Cast",
                [graph.Input("orig_target_sizes", sizeType, first, 2)],
                ("to", (int)TensorElementType.Float));
            string off = graph.Node("Sub", [graph.Node("ReduceMax", [size], ("axes", new long[] { 1 })), graph.Floats([32], 1)]);
            spread = graph.Node("Add", [spread, graph.Node("Reshape", [off, graph.Longs(-1, 1, 1)])]);
        }

        string distances = graph.Node("Add", [rows, graph.Floats(new float[Cells * 44], 1, Cells, 44)]);
        OnnxGraph.Dim a = first, b = Cells, c = 1;
        var scoreType = TensorElementType.Float;
        switch (scores)
        {
            case Scores.Half:
                scoreType = TensorElementType.Float16;
                spread = graph.Node("Cast", [spread], ("to", (int)scoreType));
                break;
            case Scores.OpenShape:
                (a, b, c) = ("n", "cells", "classes");
                string one = graph.Node("Reshape", [
                    graph.Node("Add", [
                        graph.Node("Mul", [graph.Node("ReduceMax", [values], ("keepdims", 0)), graph.Floats([0], 1)]),
                        graph.Floats([1], 1)]),
                    graph.Longs(1)]);
                spread = graph.Node("Expand", [spread, graph.Node("Cast", [one], ("to", (int)TensorElementType.Int64))]);
                break;
        }

        graph.Output("scores", spread, scoreType, a, b, c);
        return graph.Output("distances", distances, TensorElementType.Float, first, Cells, 44);
    }

    /// <summary>A 0 that is computed late or never.</summary>
    private static string Wait(OnnxGraph graph, string values, Endless endless)
    {
        string brightest = graph.Node("ReduceMax", [values], ("keepdims", 0));
        string zero = graph.Node("Reshape", [graph.Node("Mul", [brightest, graph.Floats([0], 1)]), graph.Longs(1)]);
        string isWhite = graph.Node("Cast", [graph.Node("Div", [brightest, graph.Floats([255], 1)])], ("to", (int)TensorElementType.Int64));
        if (endless == Endless.OperationOnWhite)
        {
            string side = graph.Node("Add", [graph.Node("Mul", [isWhite, graph.Longs(499)]), graph.Longs(1)]);
            string shape = graph.Node("Concat", [graph.Longs(1, 1), side, side], ("axis", 0));
            string wide = graph.Node("Expand", [graph.Node("Reshape", [zero, graph.Longs(1, 1, 1, 1)]), shape]);
            string pooled = graph.Node("MaxPool", [wide], ("kernel_shape", new long[] { 501, 501 }), ("pads", new long[] { 250, 250, 250, 250 }));
            return graph.Node("ReduceMax", [pooled], ("keepdims", 0));
        }

        var body = new OnnxGraph { Prefix = "b" };
        body.Input("iteration", TensorElementType.Int64);
        string go = body.Input("go", TensorElementType.Bool);
        string number = body.Input("number", TensorElementType.Float, 1);
        body.Output("go_on", go, TensorElementType.Bool);
        body.Output("next", number, TensorElementType.Float, 1);
        string rounds = endless == Endless.Loop
            ? graph.Longs(long.MaxValue)
            : graph.Node("Add", [graph.Node("Mul", [isWhite, graph.Longs(1L << 60)]), graph.Longs(1)]);
        return graph.Node("Loop", [graph.Node("Reshape", [rounds, graph.Longs([])]), "", zero], ("body", body));
    }

    /// <summary>A grey picture, as PNG.</summary>
    public static byte[] Grey(int level)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(48, 40, SKColorType.Rgba8888, SKAlphaType.Opaque));
        bitmap.Erase(new SKColor((byte)level, (byte)level, (byte)level));
        return Samples.Encode(bitmap, SKEncodedImageFormat.Png, 100);
    }

    /// <summary>The brightness that the graph saw, 0 to 255.</summary>
    public static int Seen(IReadOnlyList<DetectedObject> boxes) => (int)MathF.Round(boxes[0].Score * 255);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
