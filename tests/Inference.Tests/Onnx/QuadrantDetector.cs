using Detection.Inference.Heads;
using Detection.Inference.Tests.Pictures;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime.Tensors;
using SkiaSharp;

namespace Detection.Inference.Tests.Onnx;

/// <summary>
/// A detector with suppression inside: it returns one row for each red quadrant of the picture, in the formats of the exporters whose outputs have a
/// row for each object.
/// </summary>
internal static class QuadrantDetector
{
    public const int Size = 64;

    private static readonly float[][] Boxes = [[4, 4, 28, 28], [36, 4, 60, 28], [4, 36, 28, 60], [36, 36, 60, 60]];

    /// <summary>The formats that can be built. The batch dimension of some may be open.</summary>
    public static IReadOnlyList<(string Form, bool HasBatch)> Forms { get; } =
        [("torchvision", false), ("torchvision, named batch", false), ("onnx", false), ("mmdetection", true), ("yolov7", false), ("yolov10", false)];

    /// <param name="form">One of <see cref="Forms"/>.</param>
    /// <param name="batch">The batch dimension: 1 or a name.</param>
    /// <param name="always">Whether the first quadrant is returned with a score of 0.5 for any picture, so that pictures without red have one row.</param>
    /// <param name="throwsOnBlue">Whether a run with a blue picture fails.</param>
    public static OnnxGraph Build(string form, OnnxGraph.Dim batch, bool always = false, bool throwsOnBlue = false)
    {
        var graph = new OnnxGraph();
        var picture = graph.Input("images", TensorElementType.Float, batch, 3, Size, Size);

        // Red minus blue, the mean of each quadrant, as [pictures, 4].
        var colour = graph.Node("Conv", [picture, graph.Floats([1, 0, -1], 1, 3, 1, 1)], ("kernel_shape", new long[] { 1, 1 }));
        var pooled = graph.Node("AveragePool", [colour], ("kernel_shape", new long[] { 32, 32 }), ("strides", new long[] { 32, 32 }));
        var scores = graph.Node("Max", [graph.Node("Reshape", [pooled, graph.Longs(-1, 4)]), graph.Floats([always ? 0.5f : 0, 0, 0, 0], 1, 4)]);
        if (throwsOnBlue)
        {
            // Only index 0 exists.
            var bluest = graph.Node("Neg", [graph.Node("ReduceMin", [pooled], ("keepdims", 0))]);
            var index = graph.Node("Cast", [graph.Node("Add", [bluest, graph.Floats([0.4f], [])])], ("to", (int)TensorElementType.Int64));
            scores = graph.Node("Add", [scores, graph.Node("Gather", [graph.Floats([0], 1), index])]);
        }

        // The quadrants that are red in any of the pictures.
        var most = graph.Node("ReduceMax", [scores], ("axes", new long[] { 0 }), ("keepdims", 0));
        var found = graph.Node("NonZero", [graph.Node("Greater", [most, graph.Floats([0.2f], 1)])]);
        var rows = graph.Node("Reshape", [found, graph.Longs(-1)]);
        var corners = graph.Floats([.. Boxes.SelectMany(b => b)], 4, 4);
        string Gather(string values, string indices, int axis) => graph.Node("Gather", [values, indices], ("axis", axis));
        var boxes = Gather(corners, rows, 0);
        var each = graph.Node("Reshape", [Gather(scores, rows, 1), graph.Longs(-1)]);
        var column = graph.Node("Reshape", [each, graph.Longs(-1, 1)]);
        string Numbers(float value) => graph.Node("Add", [graph.Node("Mul", [column, graph.Floats([0], 1)]), graph.Floats([value], 1)]);
        string Labels(float value) => graph.Node("Cast", [graph.Node("Reshape", [Numbers(value), graph.Longs(-1)])], ("to", (int)TensorElementType.Int64));
        switch (form)
        {
            case "torchvision" or "torchvision, named batch":
                OnnxGraph.Dim first = form == "torchvision" ? "objects" : batch.Name ?? "batch";
                graph.Output("boxes", boxes, TensorElementType.Float, first, 4);
                graph.Output("labels", Labels(1), TensorElementType.Int64, first);
                return graph.Output("scores", each, TensorElementType.Float, first);
            case "onnx":
                var yx = graph.Floats([.. Boxes.SelectMany(b => new[] { b[1], b[0], b[3], b[2] })], 1, 4, 4);
                var perClass = graph.Node("Reshape", [scores, graph.Longs(1, 1, 4)]);
                graph.Output("boxes", graph.Floats([.. Boxes.SelectMany(b => b)], 1, 4, 4), TensorElementType.Float, 1, 4, 4);
                graph.Output("scores", perClass, TensorElementType.Float, 1, 1, 4);
                return graph.Output(
                    "selected_indices",
                    graph.Node("NonMaxSuppression", [yx, perClass, graph.Longs(10), graph.Floats([0.5f], 1), graph.Floats([0.2f], 1)]),
                    TensorElementType.Int64,
                    "selected",
                    3);
            case "mmdetection":
                var own = graph.Node("Unsqueeze", [Gather(scores, rows, 1), graph.Longs(2)]);
                var none = graph.Node("Mul", [own, graph.Floats([0], 1)]);
                graph.Output("dets", graph.Node("Concat", [graph.Node("Add", [none, boxes]), own], ("axis", 2)), TensorElementType.Float, batch, "objects", 5);
                var zeros = graph.Node("Squeeze", [none, graph.Longs(2)]);
                return graph.Output("labels", graph.Node("Cast", [zeros], ("to", (int)TensorElementType.Int64)), TensorElementType.Int64, batch, "objects");
            case "yolov7":
                return graph.Output("output", graph.Node("Concat", [Numbers(0), boxes, Numbers(0), column], ("axis", 1)), TensorElementType.Float, "rows", 7);
            case "yolov10":
                return graph.Output("output", graph.Node("Concat", [boxes, column, Numbers(0)], ("axis", 1)), TensorElementType.Float, "rows", 6);
            default:
                throw new NotSupportedException(form);
        }
    }

    /// <summary>The manifest beside it, for boxes in pixels of the picture.</summary>
    public static string Manifest(string form) => form == "onnx"
        ? """{ "labels": ["red"], "family": "ssd", "head": { "boxFormat": "x1y1x2y2", "boxUnit": "pixels", "background": "none" } }"""
        : """{ "labels": ["red"], "input": { "scale": 255, "mean": [0, 0, 0], "std": [1, 1, 1] } }""";

    /// <summary>A picture whose quadrants are red where a bit is set, and black otherwise.</summary>
    public static byte[] Picture(int quadrants)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Size, Size, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.Black);
        using var paint = new SKPaint { Color = new SKColor(230, 0, 0), IsAntialias = false };
        for (var i = 0; i < 4; i++)
        {
            if ((quadrants & (1 << i)) != 0)
            {
                canvas.DrawRect(SKRect.Create(i % 2 * 32, i / 2 * 32, 32, 32), paint);
            }
        }

        return Samples.Encode(bitmap, SKEncodedImageFormat.Png);
    }

    /// <summary>A picture on which the graph fails, if it was built that way.</summary>
    public static byte[] Blue()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Size, Size, SKColorType.Rgba8888, SKAlphaType.Opaque));
        bitmap.Erase(SKColors.Blue);
        return Samples.Encode(bitmap, SKEncodedImageFormat.Png);
    }

    /// <summary>The boxes that the picture of these quadrants has, as text: left and top of each, and its score in hundredths.</summary>
    public static string Expected(int quadrants, bool always = false) => Text(Enumerable.Range(0, 4)
        .Select(i => (Box: Boxes[i], Score: (quadrants & (1 << i)) != 0 ? 230f / 255 : always && i == 0 ? 0.5f : 0))
        .Where(q => q.Score > 0)
        .Select(q => (q.Box[0], q.Box[1], q.Box[2], q.Box[3], q.Score)));

    /// <summary>Boxes in the same form.</summary>
    public static string Text(IEnumerable<DetectedObject> boxes) => Text(boxes.Select(b => (b.X1, b.Y1, b.X2, b.Y2, b.Score)));

    private static string Text(IEnumerable<(float X1, float Y1, float X2, float Y2, float Score)> boxes) =>
        string.Join(' ', boxes.Select(b => FormattableString.Invariant($"({b.X1:0},{b.Y1:0},{b.X2:0},{b.Y2:0}:{b.Score * 100:0})")).Order(StringComparer.Ordinal));
}
