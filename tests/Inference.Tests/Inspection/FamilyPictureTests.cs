using Detection.Inference.Heads;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Detection.Inference.Tests.Onnx;
using Detection.Inference.Tests.Pictures;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime.Tensors;
using SkiaSharp;

namespace Detection.Inference.Tests.Inspection;

/// <summary>
/// For each family: an ONNX file with a manifest that has only thresholds, a picture, and the expected boxes, through the real runtime. The expected
/// boxes follow from the places of the colours.
/// </summary>
public sealed class FamilyPictureTests : IDisposable
{
    private const int Width = 128;
    private const int Height = 64;

    private readonly string _folder = Directory.CreateTempSubdirectory("family").FullName;

    /// <summary>Every family, and the other forms in which some of them are exported.</summary>
    public static TheoryData<string> Forms =>
    [
        .. HeadFamilies.Names,
        "nanodet, one output",
        "nanodet, outputs per map",
        "yolox, decoded",
        "yolov6",
        "picodet, suppressed inside",
        "detr, masked",
        "yolov7, suppressed inside",
        "yolo-nas, flat",
    ];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Picture_of_a_bare_file_gives_its_boxes(string family)
    {
        await Check(family, new InputSpec { Width = CellDetector.Size, Height = CellDetector.Size }, "batch");
        await Check(family, new InputSpec { Width = CellDetector.Size, Height = CellDetector.Size }, 1);
    }

    /// <summary>Open dimensions without a name, of different sizes (insightface #1781).</summary>
    [Fact]
    public async Task Picture_of_a_file_with_open_dimensions_that_are_question_marks_gives_its_boxes()
    {
        var graph = new OnnxGraph();
        var picture = graph.Input("input.1", TensorElementType.Float, "?", 3, "?", "?");
        var zero = graph.Node("Mul", [graph.Node("ReduceMean", [picture], ("axes", new long[] { 1, 2, 3 }), ("keepdims", 1)), graph.Floats([0])]);
        foreach (var (stride, count) in new[] { (8, 2 * 8 * 16), (16, 2 * 4 * 8), (32, 2 * 2 * 4) })
        {
            string Rows(int width, Func<int, float> value) => graph.Node(
                "Add", [graph.Floats([.. Enumerable.Range(0, count * width).Select(value)], 1, count, width), graph.Node("Reshape", [zero, graph.Longs(-1, 1, 1)])]);

            // The second box of the last cell of the smallest map.
            graph.Output($"score_{stride}", Rows(1, i => stride == 32 && i == count - 1 ? 0.8f : 0), TensorElementType.Float, "?", "?", 1);
            graph.Output($"bbox_{stride}", Rows(4, i => i / 4 == count - 1 ? 0.5f : 9), TensorElementType.Float, "?", "?", 4);
        }

        var folder = Directory.CreateDirectory(Path.Combine(_folder, "questions")).FullName;
        graph.Save(Path.Combine(folder, "model.onnx"));
        File.WriteAllText(Path.Combine(folder, "model.json"), """{ "input": { "width": 128, "height": 64 } }""");
        await using var model = await DroppedModel.Load(ModelFile.Read(folder));

        var outcomes = await model.Detect([.. Enumerable.Repeat(Picture(new InputSpec { Width = 128, Height = 64 }), 3)]);

        Assert.All(outcomes, outcome => Assert.Equal(new DetectedObject(0, 0.8f, 80, 16, 112, 48), Assert.Single(outcome.Boxes)));
    }

    [Theory]
    [InlineData(TensorLayout.Nhwc, TensorElement.UInt8)]
    [InlineData(TensorLayout.Nhwc, TensorElement.Float32)]
    [InlineData(TensorLayout.Nchw, TensorElement.Float16)]
    [InlineData(TensorLayout.Nchw, TensorElement.UInt8)]
    public async Task Picture_of_every_layout_and_element_gives_its_boxes(TensorLayout layout, TensorElement element)
    {
        foreach (var family in new[] { "yolov8", "nanodet", "ssd", "yolo-nas" })
        {
            await Check(family, new InputSpec { Width = CellDetector.Size, Height = CellDetector.Size, Layout = layout, Element = element }, 1);
        }
    }

    private async Task Check(string family, InputSpec plain, OnnxGraph.Dim batch)
    {
        // The graph must undo the family's usual normalisation: built once to learn what that is, then for it.
        var manifest = Path.Combine(_folder, "plain.json");
        var name = family.Split(',')[0];
        File.WriteAllText(manifest, $"{{ {LinesOf(family)}\"scoreFloor\": 0.3, \"iou\": 0.25 }}");
        var spec = ModelInspector.Inspect(Build(family, plain, batch).Save(Path.Combine(_folder, "plain.onnx")), manifest).Require().Input;
        var folder = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        Build(family, spec, batch).Save(Path.Combine(folder, "model.onnx"));
        File.Copy(manifest, Path.Combine(folder, "model.json"));
        await using var model = await DroppedModel.Load(ModelFile.Read(folder));

        // Red beside half-intensity red: their boxes overlap by a third.
        var first = Picture(spec, (3, 2, SKColors.Red), (4, 2, new SKColor(128, 0, 0)), (5, 3, SKColors.Blue));
        var second = Picture(spec, (2, 3, SKColors.Blue));
        var outcomes = await model.Detect(first, second);

        var suppresses = family is "picodet" || name is "nanodet" or "deepstream" or "yolox" or "yolov5" or "yolov6" or "yolov8" or "yolov9" or "yolo11" or "yolo12"
            or "efficientdet" or "damo-yolo" or "rtmdet" or "yunet" or "scrfd";
        List<DetectedObject> expected = [Expected(spec, 3, 2, 0, CellDetector.Full), Expected(spec, 5, 3, 1, CellDetector.Full)];
        if (!suppresses)
        {
            expected.Add(Expected(spec, 4, 2, 0, CellDetector.Full * 128 / 255));
        }

        AssertSame(family, expected, outcomes[0].Boxes);
        AssertSame(family, [Expected(spec, 2, 3, 1, CellDetector.Full)], outcomes[1].Boxes);
        Assert.Equal((Width, Height), (outcomes[0].Width, outcomes[0].Height));
    }

    /// <summary>What a picture of colours does not prove.</summary>
    private static string LinesOf(string family) => family switch
    {
        "nanodet, one output" => """ "head": { "cellOffset": 0.5 }, """,
        "rtmdet" => """ "family": "rtmdet", "head": { "decoded": false }, """,
        _ when family.Split(',')[0] is "picodet" or "pp-yoloe" => $""" "family": "{family.Split(',')[0]}", """,
        _ => "",
    };

    private static OnnxGraph Build(string family, InputSpec spec, OnnxGraph.Dim batch) =>
        CellDetector.Build(family, spec, batch).Metadata("names", "{0: 'red', 1: 'blue'}");

    private static void AssertSame(string family, List<DetectedObject> expected, DetectedObject[] actual)
    {
        Assert.True(actual.Zip(actual.Skip(1)).All(pair => pair.First.Score >= pair.Second.Score), "Not sorted by score.");
        Assert.True(expected.Count == actual.Length, $"{family}: {string.Join(", ", actual)}");
        foreach (var box in expected)
        {
            Assert.Contains(
                actual,
                a => a.ClassId == box.ClassId && Math.Abs(a.Score - box.Score) < 0.005 && Math.Abs(a.X1 - box.X1) < 0.15 && Math.Abs(a.Y1 - box.Y1) < 0.15
                    && Math.Abs(a.X2 - box.X2) < 0.15 && Math.Abs(a.Y2 - box.Y2) < 0.15);
        }
    }

    /// <summary>Place of the picture in the input, and input pixels per picture pixel.</summary>
    private static (float ScaleX, float ScaleY, float Top) Place(InputSpec spec) => spec.Resize switch
    {
        ResizeMode.Stretch => (0.5f, 1, 0),
        ResizeMode.LetterboxTopLeft => (0.5f, 0.5f, 0),
        _ => (0.5f, 0.5f, 16),
    };

    private static DetectedObject Expected(InputSpec spec, int column, int row, int label, float score)
    {
        var (sx, sy, top) = Place(spec);
        var box = CellDetector.BoxOf(column, row);
        return new DetectedObject(
            label,
            score,
            Math.Clamp(box[0] / sx, 0, Width),
            Math.Clamp((box[1] - top) / sy, 0, Height),
            Math.Clamp(box[2] / sx, 0, Width),
            Math.Clamp((box[3] - top) / sy, 0, Height));
    }

    /// <summary>A grey picture with some painted cells of the input.</summary>
    private static byte[] Picture(InputSpec spec, params (int Column, int Row, SKColor Colour)[] cells)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(new SKColor(128, 128, 128));
        var (sx, sy, top) = Place(spec);
        foreach (var (column, row, colour) in cells)
        {
            using var paint = new SKPaint { Color = colour, IsAntialias = false };
            canvas.DrawRect(
                column * CellDetector.Stride / sx, ((row * CellDetector.Stride) - top) / sy, CellDetector.Stride / sx, CellDetector.Stride / sy, paint);
        }

        canvas.Flush();
        return Samples.Encode(bitmap, SKEncodedImageFormat.Png);
    }
}
