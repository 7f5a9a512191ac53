using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Tests.Onnx;

/// <summary>
/// A detector that really examines the picture, in the export format of each family: a convolution with the size of a cell scores how red (class 0)
/// and how blue (class 1) each cell of 8×8 pixels is, from 0 to 0.9, and returns a square of 16 pixels around each such cell. The other feature maps
/// return nothing.
/// </summary>
internal static class CellDetector
{
    public const int Size = 64;
    public const int Stride = 8;
    public const int Box = 16;
    public const float Full = 0.9f;

    private const int Columns = Size / Stride;
    private const int Cells = Columns * Columns;
    private const int Rows = 64 + 16 + 4;

    /// <summary>Rows of each map.</summary>
    private static readonly (int Stride, int From, int To)[] Maps = [(8, 0, 64), (16, 64, 80), (32, 80, 84)];

    /// <summary>Builds the graph of a family for an input.</summary>
    /// <param name="family">One of the manifest's families.</param>
    /// <param name="input">Normalisation, channel order, layout and type of the input.</param>
    /// <param name="batch">The batch dimension: a number or a name.</param>
    /// <param name="open">Whether height, width and the dimensions that depend on them are open.</param>
    /// <param name="change">Makes other scores of the true ones, [batch, 2, cells].</param>
    public static OnnxGraph Build(string family, InputSpec input, OnnxGraph.Dim batch, bool open = false, Func<OnnxGraph, string, string>? change = null)
    {
        var graph = new OnnxGraph();
        var scores = Scores(graph, input, batch, open);
        var columns = change is null ? scores : change(graph, scores);
        var none = graph.Node("Mul", [graph.Node("ReduceMean", [scores], ("axes", new long[] { 1, 2 }), ("keepdims", 1)), graph.Floats([0])]);
        var rows = graph.Node("Transpose", [columns], ("perm", new long[] { 0, 2, 1 }));
        var type = input.Element == TensorElement.Float16 ? TensorElementType.Float16 : TensorElementType.Float;
        OnnxGraph.Dim Free(string name, int value) => open ? name : value;

        string Part(string value, int from, int to) => graph.Node("Slice", [value, graph.Longs(from), graph.Longs(to), graph.Longs(1)]);
        string PerPicture(float[] values, params long[] shape) => graph.Node("Add", [graph.Floats(values, [1, .. shape]), none]);
        string PerRow(int count, Func<int, float[]> row) => PerPicture([.. Enumerable.Range(0, count).SelectMany(row)], count, row(0).Length);
        string Concat(int axis, params string[] parts) => graph.Node("Concat", parts, ("axis", axis));
        string Reshape(string value, params long[] shape) => graph.Node("Reshape", [value, graph.Longs(shape)]);
        void Output(string name, string value, params OnnxGraph.Dim[] shape) => graph.Output(
            name,
            type == TensorElementType.Float16 ? graph.Node("Cast", [value], ("to", (int)type)) : value,
            type,
            [batch, .. shape]);

        string Logits(string scores)
        {
            var odds = graph.Node("Clip", [scores, graph.Floats([1e-6f], []), graph.Floats([1 - 1e-6f], [])]);
            return graph.Node("Log", [graph.Node("Div", [odds, graph.Node("Sub", [graph.Floats([1]), odds])])]);
        }

        // Twice as many rows, one per cell and class, for families that answer a class number.
        string ScoreColumn() => Reshape(columns, 0, 2 * Rows, 1);
        string Each(Func<int, float[]> row) => PerRow(2 * Rows, r => row(r % Rows));
        float[] Distances(int bins) => [.. Enumerable.Range(0, 4 * bins).Select(b => b % bins == 1 ? 60f : 0)];
        string Blue(string scores) => graph.Node("Cast", [graph.Node("ArgMax", [scores], ("axis", 2), ("keepdims", 1))], ("to", (int)TensorElementType.Float));
        string Classes(int first) => PerRow(2 * Rows, r => [first + (r / Rows)]);

        switch (family)
        {
            case "nanodet":
                // The bin of distance 1 outweighs all others; a stride of 8 makes it 8 pixels.
                Output("scores", rows, Free("cells", Rows), 2);
                Output("distances", PerRow(Rows, _ => [.. Enumerable.Range(0, 44).Select(b => b % 11 == 1 ? 60f : 0)]), Free("cells", Rows), 44);
                break;
            case "nanodet, one output":
                Output("output", Concat(2, rows, PerRow(Rows, _ => [.. Enumerable.Range(0, 44).Select(b => b % 11 == 1 ? 60f : 0)])), Free("cells", Rows), 46);
                break;
            case "nanodet, outputs per map":
                foreach (var (stride, from, to) in Maps)
                {
                    Output($"7{stride}", Part(rows, from, to), to - from, 2);
                    Output($"7{stride}d", PerRow(to - from, _ => [.. Enumerable.Range(0, 44).Select(b => b % 11 == 1 ? 60f : 0)]), to - from, 44);
                }

                break;
            case "picodet":
                foreach (var (name, from, to) in new[] { ("transpose_0", 0, 64), ("transpose_2", 64, 80), ("transpose_4", 80, 84) })
                {
                    Output($"{name}.tmp_0", graph.Node("Slice", [rows, graph.Longs(from), graph.Longs(to), graph.Longs(1)]), to - from, 2);
                    Output($"{name}d.tmp_0", PerRow(to - from, _ => Distances(8)), to - from, 32);
                }

                // The map of stride 64.
                Output("transpose_6.tmp_0", PerRow(1, _ => [0, 0]), 1, 2);
                Output("transpose_7.tmp_0", PerRow(1, _ => Distances(8)), 1, 32);
                break;
            case "pp-yoloe" or "picodet, suppressed inside":
                // Boxes in pixels of the picture, which scale_factor says to be as large as the input.
                graph.Input("scale_factor", TensorElementType.Float, batch, 2);
                var found = Reshape(Concat(2, Classes(0), ScoreColumn(), Each(Corners)), -1, 6);
                graph.Output("multiclass_nms3_0.tmp_0", found, TensorElementType.Float, ["rows", 6]);
                break;
            case "deepstream":
                Output("output", Concat(2, PerRow(Rows, Corners), graph.Node("ReduceMax", [rows], ("axes", new long[] { 2 }), ("keepdims", 1)), Blue(rows)), Free("cells", Rows), 6);
                break;
            case "yolox, decoded" or "yolov6":
                Output("output", Concat(2, PerRow(Rows, r => [.. Center(r), Box, Box, family == "yolov6" ? 1 : 0.999f]), rows), Free("cells", Rows), 7);
                break;
            case "yolox":
                Output("output", Concat(2, PerRow(Rows, _ => [0.5f, 0.5f, MathF.Log(2), MathF.Log(2), 1]), rows), Free("cells", Rows), 7);
                break;
            case "yolov5":
                var nothing = graph.Node("Mul", [rows, graph.Floats([0])]);
                Output(
                    "output0",
                    Concat(2, PerRow(3 * Rows, r => [.. Center(r % Rows), Box, Box, 1]), Concat(1, rows, nothing, nothing)),
                    Free("anchors", 3 * Rows),
                    7);
                break;
            case "yolov8" or "yolov9" or "yolo11" or "yolo12":
                var centers = Enumerable.Range(0, Rows).Select(Center).ToArray();
                var boxes = PerPicture(
                    [.. centers.Select(c => c[0]), .. centers.Select(c => c[1]), .. Enumerable.Repeat((float)Box, 2 * Rows)], 4, Rows);
                Output("output0", Concat(1, boxes, columns), 6, Free("anchors", Rows));
                break;
            case "yolov10" or "yolo26":
                Output("output0", Concat(2, Each(Corners), ScoreColumn(), Classes(0)), 2 * Rows, 6);
                break;
            case "efficientdet":
                // The first of a cell's nine anchors is a square of 32 pixels around it.
                const int Anchors = 9 * (64 + 16 + 4 + 1 + 1);
                var cells = graph.Node("Slice", [rows, graph.Longs(0), graph.Longs(Cells), graph.Longs(1)]);
                var first = Reshape(Concat(3, Reshape(cells, 0, Cells, 1, 2), Reshape(PerPicture(new float[Cells * 16], Cells, 16), 0, Cells, 1, 16)), 0, 9 * Cells, 2);
                Output("regression", PerRow(Anchors, _ => [0, 0, MathF.Log(0.5f), MathF.Log(0.5f)]), Free("anchors", Anchors), 4);
                Output("classification", Concat(1, first, PerPicture(new float[2 * (Anchors - (9 * Cells))], Anchors - (9 * Cells), 2)), Free("anchors", Anchors), 2);
                break;
            case "detr" or "detr, masked":
                // The softmax of logarithms of parts with the sum 1 is the parts. Where a mask marks padding, no score is returned.
                var seen = family == "detr" ? rows : graph.Node("Mul", [rows, graph.Node("ReduceMean", [
                    graph.Node("Cast", [graph.Input("pixel_mask", TensorElementType.Int64, batch, 32, 32)], ("to", (int)TensorElementType.Float))],
                    ("axes", new long[] { 1, 2 }))]);
                var parts = graph.Node("Clip", [seen, graph.Floats([1e-6f], []), graph.Floats([1], [])]);
                var rest = graph.Node("Sub", [graph.Floats([1]), graph.Node("ReduceSum", [parts, graph.Longs(2)], ("keepdims", 1))]);
                Output("logits", graph.Node("Log", [Concat(2, parts, rest)]), Rows, 3);
                Output("pred_boxes", PerRow(Rows, r => [.. Center(r).Select(c => c / Size), (float)Box / Size, (float)Box / Size]), Rows, 4);
                break;
            case "rt-detr":
                Output("logits", Logits(rows), Rows, 2);
                Output("pred_boxes", PerRow(Rows, r => [.. Center(r).Select(c => c / Size), (float)Box / Size, (float)Box / Size]), Rows, 4);
                break;
            case "d-fine":
                // The boxes are in pixels of the size that the second input names.
                var size = graph.Node("Cast", [graph.Input("orig_target_sizes", TensorElementType.Int64, batch, 2)], ("to", (int)TensorElementType.Float));
                var both = Reshape(Concat(1, size, size), 0, 1, 4);
                Output("labels", Reshape(Classes(0), 0, 2 * Rows), 2 * Rows);
                Output("boxes", graph.Node("Mul", [Each(r => [.. Corners(r).Select(c => c / Size)]), both]), 2 * Rows, 4);
                Output("scores", Reshape(ScoreColumn(), 0, 2 * Rows), 2 * Rows);
                break;
            case "yolov7, suppressed inside":
                Output("num_dets", graph.Node("Cast", [PerPicture([2 * Rows], 1)], ("to", (int)TensorElementType.Float)), 1);
                Output("det_boxes", Each(Corners), 2 * Rows, 4);
                Output("det_scores", Reshape(ScoreColumn(), 0, 2 * Rows), 2 * Rows);
                Output("det_classes", Reshape(Classes(0), 0, 2 * Rows), 2 * Rows);
                break;
            case "ssd":
                Output("detection_boxes", Each(r => [Corners(r)[1] / Size, Corners(r)[0] / Size, Corners(r)[3] / Size, Corners(r)[2] / Size]), 2 * Rows, 4);
                Output("detection_classes", Reshape(Classes(1), 0, 2 * Rows), 2 * Rows);
                Output("detection_scores", Reshape(ScoreColumn(), 0, 2 * Rows), 2 * Rows);
                Output("num_detections", Reshape(PerPicture([2 * Rows], 1, 1), -1));
                break;
            case "yolo-nas":
                Output("graph2_num_predictions", graph.Node("Cast", [PerPicture([2 * Rows], 1)], ("to", (int)TensorElementType.Float)), 1);
                Output("graph2_pred_boxes", Each(Corners), 2 * Rows, 4);
                Output("graph2_pred_scores", Reshape(ScoreColumn(), 0, 2 * Rows), 2 * Rows);
                Output("graph2_pred_classes", Reshape(Classes(0), 0, 2 * Rows), 2 * Rows);
                break;
            case "yolo-nas, flat":
                graph.Output(
                    "graph2_flat_predictions",
                    Reshape(Concat(2, Each(r => [0, .. Corners(r)]), ScoreColumn(), Classes(0)), -1, 7),
                    TensorElementType.Float,
                    "num_output_predictions",
                    7);
                break;
            case "damo-yolo":
                Output("output", rows, Free("cells", Rows), 2);
                Output("1234", PerRow(Rows, Corners), Free("cells", Rows), 4);
                break;
            case "rtmdet":
                var logits = Logits(columns);
                foreach (var (stride, from, to) in Maps)
                {
                    var (count, side) = (to - from, Size / stride);
                    var plane = Reshape(graph.Node("Slice", [logits, graph.Longs(from), graph.Longs(to), graph.Longs(2)]), 0, 2, side, side);
                    float[] distances = [.. Enumerable.Range(0, 4 * count).Select(i => i < 2 * count ? 0.5f : 1.5f)];
                    Output($"5{stride}", Concat(1, plane, Reshape(PerPicture(distances, 4, count), 0, 4, side, side)), 6, side, side);
                }

                break;
            case "centernet":
                // The middle of a cell is the corner of a cell of half the size: each cell becomes four, of which the last has its score.
                var heat = Reshape(graph.Node("Slice", [columns, graph.Longs(0), graph.Longs(Cells), graph.Longs(2)]), 0, 2, Columns, 1, Columns, 1);
                var cold = graph.Node("Mul", [heat, graph.Floats([0])]);
                var wide = Concat(5, cold, heat);
                var halves = Concat(3, graph.Node("Mul", [wide, graph.Floats([0])]), wide);
                string Planes(float value) => Reshape(PerPicture([.. Enumerable.Repeat(value, 8 * Cells)], 2, 4 * Cells), 0, 2, 2 * Columns, 2 * Columns);
                Output("hm", Reshape(halves, 0, 2, 2 * Columns, 2 * Columns), 2, 2 * Columns, 2 * Columns);
                Output("wh", Planes(Box / 4), 2, 2 * Columns, 2 * Columns);
                Output("reg", Planes(0), 2, 2 * Columns, 2 * Columns);
                break;
            case "yunet":
                var any = graph.Node("ReduceMax", [rows], ("axes", new long[] { 2 }));
                foreach (var (stride, from, to) in Maps)
                {
                    Output($"cls_{stride}", Part(rows, from, to), to - from, 2);
                    Output($"obj_{stride}", Part(any, from, to), to - from, 1);
                    Output($"bbox_{stride}", PerRow(to - from, _ => [0.5f, 0.5f, MathF.Log(2), MathF.Log(2)]), to - from, 4);
                }

                break;
            case "scrfd":
                // The second box of a cell is empty.
                foreach (var (stride, from, to) in Maps)
                {
                    var count = to - from;
                    Output(
                        $"score_{stride}",
                        Reshape(Concat(2, Part(rows, from, to), PerPicture(new float[2 * count], count, 2)), 0, 2 * count, 2),
                        2 * count,
                        2);
                    Output($"bbox_{stride}", PerRow(2 * count, _ => [0.5f, 0.5f, 1.5f, 1.5f]), 2 * count, 4);
                }

                break;
            default:
                throw new NotSupportedException(family);
        }

        return graph;
    }

    /// <summary>Left, top, right, bottom of the box of the cell in a column and a row, in pixels of the input.</summary>
    public static float[] BoxOf(int column, int row)
    {
        var (x, y) = ((column + 0.5f) * Stride, (row + 0.5f) * Stride);
        return [x - (Box / 2), y - (Box / 2), x + (Box / 2), y + (Box / 2)];
    }

    private static float[] Corners(int row) => row < Cells ? BoxOf(row % Columns, row / Columns) : [0, 0, 1, 1];

    private static float[] Center(int row)
    {
        var corners = Corners(row);
        return [(corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2];
    }

    /// <summary>Scores as [batch, 2 classes, rows].</summary>
    private static string Scores(OnnxGraph graph, InputSpec input, OnnxGraph.Dim batch, bool open)
    {
        var type = input.Element switch
        {
            TensorElement.Float32 => TensorElementType.Float,
            TensorElement.Float16 => TensorElementType.Float16,
            _ => TensorElementType.UInt8,
        };
        OnnxGraph.Dim height = open ? "height" : Size;
        OnnxGraph.Dim width = open ? "width" : Size;
        var nhwc = input.Layout == TensorLayout.Nhwc;
        OnnxGraph.Dim[] shape = nhwc ? [batch, height, width, 3] : [batch, 3, height, width];
        var picture = graph.Input("images", type, shape);
        if (type != TensorElementType.Float)
        {
            picture = graph.Node("Cast", [picture], ("to", (int)TensorElementType.Float));
        }

        if (nhwc)
        {
            picture = graph.Node("Transpose", [picture], ("perm", new long[] { 0, 3, 1, 2 }));
        }

        // Undoes the normalisation, then computes one colour minus half of the others, as the mean over the cell.
        var weights = new List<float>();
        var bias = new float[2];
        for (var label = 0; label < 2; label++)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                var colour = input.Channels == ChannelOrder.Rgb ? channel : 2 - channel;
                var wanted = label == 0 ? 0 : 2;
                var factor = Full / 255 * (colour == wanted ? 1 : -0.5f) * input.Scale;
                weights.AddRange(Enumerable.Repeat(factor * input.Std[channel] / (Stride * Stride), Stride * Stride));
                bias[label] += factor * input.Mean[channel];
            }
        }

        var map = graph.Node(
            "Conv",
            [picture, graph.Floats([.. weights], 2, 3, Stride, Stride), graph.Floats(bias, 2)],
            ("strides", new long[] { Stride, Stride }),
            ("kernel_shape", new long[] { Stride, Stride }));
        var scores = graph.Node(
            "Reshape", [graph.Node("Clip", [map, graph.Floats([0], []), graph.Floats([1], [])]), graph.Longs(0, 2, Cells)]);
        var others = graph.Node("Mul", [graph.Node("Slice", [scores, graph.Longs(0), graph.Longs(Rows - Cells), graph.Longs(2)]), graph.Floats([0])]);
        return graph.Node("Concat", [scores, others], ("axis", 2));
    }
}
