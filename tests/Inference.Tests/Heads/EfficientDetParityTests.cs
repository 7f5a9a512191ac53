using System.Text.Json;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Detection.Inference.Tests.Onnx;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime.Tensors;
using Xunit;

namespace Detection.Inference.Tests.Heads;

/// <summary>Compares with the numbers of the replaced system.</summary>
public sealed class EfficientDetParityTests
{
    private static readonly ModelManifest Manifest = new()
    {
        Family = "efficientdet",
        Input = new InputSpec { Width = 512, Height = 512, Resize = ResizeMode.LetterboxTopLeft },
        Labels = [.. Enumerable.Range(1, 90).Select(i => $"category {i}")],
    };

    private static JsonDocument Expected() => JsonDocument.Parse(File.ReadAllBytes(SharedFiles.FindOrSkip("parity/efficientdet-d0/expected.json")));

    /// <summary>Rows of index, y1, x1, y2, x2 of the first, the last and other anchors, calculated by hand from the definition.</summary>
    [Theory]
    [InlineData(0, -12, -12, 20, 20)]
    [InlineData(1, -7.2, -18.4, 15.2, 26.4)]
    [InlineData(2, -18.4, -7.2, 26.4, 15.2)]
    [InlineData(6, -21.39841683149119, -21.39841683149119, 29.39841683149119, 29.39841683149119)]
    [InlineData(9, -12, -4, 20, 28)]
    [InlineData(576, -4, -12, 28, 20)]
    [InlineData(36864, -24, -24, 40, 40)]
    [InlineData(49103, -120.92453, 163.53773, 1016.92453, 732.46227)]
    public void Anchors_match_the_definition(int index, double y1, double x1, double y2, double x2)
    {
        var anchors = new EfficientDetHead(Manifest).Anchors;

        Assert.Equal(49_104, anchors.Length);
        AssertNear([y1, x1, y2, x2], anchors[index]);
    }

    [Fact]
    public void Anchors_are_those_of_the_replaced_system()
    {
        using var expected = Expected();
        var anchors = new EfficientDetHead(Manifest).Anchors;
        var worst = 0.0;
        var samples = expected.RootElement.GetProperty("anchor_samples").EnumerateArray().Select(Numbers).ToList();

        Assert.InRange(samples.Count, 100, int.MaxValue);
        Assert.All(samples, row => worst = Math.Max(worst, AssertNear(row[1..], anchors[(int)row[0]])));
        TestContext.Current.TestOutputHelper?.WriteLine($"{samples.Count} anchors, worst difference {worst:0.0e+0}");
    }

    [Fact]
    public void Boxes_are_those_of_the_replaced_system()
    {
        using var expected = Expected();
        var head = new EfficientDetHead(Manifest);
        var root = expected.RootElement;
        var settings = new HeadSettings(root.GetProperty("threshold").GetSingle(), root.GetProperty("iou_threshold").GetSingle(), 300);
        var compared = 0;
        foreach (var picture in root.GetProperty("pictures").EnumerateArray())
        {
            var (regression, classification) = NetworkOutputs(picture);
            OutputTensor[] outputs = [new("regression", [49_104, 4], regression), new("classification", [49_104, 90], classification)];
            var (width, height) = (picture.GetProperty("width").GetInt32(), picture.GetProperty("height").GetInt32());
            var resized = Numbers(picture.GetProperty("resized"));
            var geometry = new InputGeometry((float)resized[0] / width, (float)resized[1] / height, 0, 0, width, height);
            var wanted = picture.GetProperty("boxes").EnumerateArray().Select(Box).ToList();

            // As in the replaced system: not clipped to the picture.
            var onInput = new List<DetectedObject>();
            head.ReadInput(outputs, settings, onInput);
            var unclipped = onInput.Select(b => b with
            {
                X1 = b.X1 / geometry.ScaleX,
                Y1 = b.Y1 / geometry.ScaleY,
                X2 = b.X2 / geometry.ScaleX,
                Y2 = b.Y2 / geometry.ScaleY,
            }).ToList();
            AssertSame(wanted, unclipped);

            // As in this product: boxes in the padding are not on the picture.
            var onPicture = new List<DetectedObject>();
            head.Read(outputs, geometry, settings, onPicture);
            AssertSame(Clipped(wanted, width, height), onPicture);
            compared += wanted.Count;
        }

        Assert.InRange(compared, 100, int.MaxValue);
    }

    /// <summary>A graph with the inputs and outputs of that network, from the file of the picture to the boxes.</summary>
    [Fact]
    public async Task A_graph_with_these_outputs_is_served_end_to_end()
    {
        using var expected = Expected();
        var picture = expected.RootElement.GetProperty("pictures")[0];
        var file = SharedFiles.FindOrSkip($"images/coco-person/{picture.GetProperty("file").GetString()}");
        var (regression, classification) = NetworkOutputs(picture);
        var folder = Directory.CreateTempSubdirectory("efficientdet").FullName;
        try
        {
            var graph = new OnnxGraph();
            var input = graph.Input("input", TensorElementType.Float, 1, 3, 512, 512);
            var nothing = graph.Node("Mul", [graph.Node("ReduceMean", [input], ("keepdims", 0)), graph.Floats([0], [])]);
            graph.Output("regression", graph.Node("Add", [graph.Floats(regression, 1, 49_104, 4), nothing]), TensorElementType.Float, 1, 49_104, 4);
            graph.Output("classification", graph.Node("Add", [graph.Floats(classification, 1, 49_104, 90), nothing]), TensorElementType.Float, 1, 49_104, 90);
            graph.Save(Path.Combine(folder, "model.onnx"));
            File.WriteAllLines(Path.Combine(folder, "names.txt"), Manifest.Labels);
            File.WriteAllText(Path.Combine(folder, "model.json"), """{ "labels": "names.txt", "scoreFloor": 0.2, "iou": 0.2 }""");
            await using var model = await DroppedModel.Load(ModelFile.Read(folder));

            var outcome = Assert.Single(await model.Detect(File.ReadAllBytes(file)));

            var wanted = picture.GetProperty("boxes").EnumerateArray().Select(Box).ToList();
            AssertSame(Clipped(wanted, picture.GetProperty("width").GetInt32(), picture.GetProperty("height").GetInt32()), [.. outcome.Boxes]);
            Assert.NotEmpty(outcome.Boxes);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static List<DetectedObject> Clipped(List<DetectedObject> boxes, int width, int height) =>
    [
        .. boxes
            .Select(b => b with { X1 = Math.Min(b.X1, width), Y1 = Math.Min(b.Y1, height), X2 = Math.Min(b.X2, width), Y2 = Math.Min(b.Y2, height) })
            .Where(b => b.X1 < b.X2 && b.Y1 < b.Y2),
    ];

    private static (float[] Regression, float[] Classification) NetworkOutputs(JsonElement picture)
    {
        var classification = new float[49_104 * 90];
        var regression = new float[49_104 * 4];
        foreach (var row in picture.GetProperty("anchors_above").EnumerateArray().Select(Numbers))
        {
            var anchor = (int)row[0];
            classification[(anchor * 90) + (int)row[1]] = (float)row[2];
            row[3..7].Select(v => (float)v).ToArray().CopyTo(regression, anchor * 4);
        }

        return (regression, classification);
    }

    private static void AssertSame(List<DetectedObject> expected, List<DetectedObject> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        var (worstOverlap, worstScore) = (1.0, 0.0);
        foreach (var (e, a) in expected.Zip(actual))
        {
            Assert.Equal(e.ClassId, a.ClassId);
            Assert.Equal(e.Score, a.Score, 1e-5f);

            // A box with exchanged edges has no area: its corners are compared instead.
            var same = e.X1 < e.X2 && e.Y1 < e.Y2
                ? NonMaxSuppressionTests.Overlap(e, a) >= 0.999
                : Math.Abs(e.X1 - a.X1) + Math.Abs(e.Y1 - a.Y1) + Math.Abs(e.X2 - a.X2) + Math.Abs(e.Y2 - a.Y2) < 0.05;
            Assert.True(same, $"expected {e}, was {a}");
            worstOverlap = e.X1 < e.X2 && e.Y1 < e.Y2 ? Math.Min(worstOverlap, NonMaxSuppressionTests.Overlap(e, a)) : worstOverlap;
            worstScore = Math.Max(worstScore, Math.Abs(e.Score - a.Score));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{expected.Count} boxes, worst overlap {worstOverlap:0.000000}, worst score difference {worstScore:0.0e+0}");
    }

    private static double AssertNear(double[] expected, EfficientDetHead.Anchor anchor)
    {
        double[] corners = [anchor.Y - (anchor.Height / 2), anchor.X - (anchor.Width / 2), anchor.Y + (anchor.Height / 2), anchor.X + (anchor.Width / 2)];
        var worst = corners.Zip(expected, (a, e) => Math.Abs(a - e)).Max();
        Assert.InRange(worst, 0, 1e-3);
        return worst;
    }

    private static double[] Numbers(JsonElement row) => [.. row.EnumerateArray().Select(n => n.GetDouble())];

    private static DetectedObject Box(JsonElement box)
    {
        float Number(string name) => box.GetProperty(name).GetSingle();
        return new DetectedObject(box.GetProperty("class_index").GetInt32(), Number("score"), Number("x1"), Number("y1"), Number("x2"), Number("y2"));
    }
}
