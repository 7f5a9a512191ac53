using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Inference.Tests.Onnx;
using Microsoft.ML.OnnxRuntime.Tensors;
using Xunit;

namespace Detection.Inference.Tests.Inspection;

public sealed class ModelInspectorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("inspect").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("nanodet", "nanodet")]
    [InlineData("yolox", "yolox")]
    [InlineData("yolov5", "yolov5")]
    [InlineData("yolov8", "yolov8")]
    [InlineData("yolo11", "yolov8")]
    [InlineData("yolov10", "yolov10")]
    [InlineData("efficientdet", "efficientdet")]
    [InlineData("detr", "detr")]
    [InlineData("rt-detr", "rt-detr")]
    [InlineData("d-fine", "d-fine")]
    [InlineData("ssd", "ssd")]
    [InlineData("nanodet, one output", "nanodet")]
    [InlineData("nanodet, outputs per map", "nanodet")]
    [InlineData("yolox, decoded", "yolox")]
    [InlineData("yolov6", "yolov5")]
    [InlineData("detr, masked", "detr")]
    [InlineData("yolov7, suppressed inside", "ssd")]
    [InlineData("yolo-nas", "yolo-nas")]
    [InlineData("yolo-nas, flat", "yolo-nas")]
    [InlineData("damo-yolo", "damo-yolo")]
    [InlineData("centernet", "centernet")]
    [InlineData("yunet", "yunet")]
    [InlineData("scrfd", "scrfd")]
    public void Inspect_of_a_bare_file_with_names_finds_its_family(string family, string expected)
    {
        foreach (var batch in new OnnxGraph.Dim[] { 1, "batch" })
        {
            var inspection = Inspect(CellDetector.Build(family, Plain, batch).Metadata("names", "{0: 'red', 1: 'blue'}"));

            Assert.Empty(inspection.Missing);
            Assert.Equal(expected, inspection.Require().Family);
            Assert.Equal(["red", "blue"], inspection.Manifest!.Labels);
            Assert.Equal((64, 64), (inspection.Manifest.Input.Width, inspection.Manifest.Input.Height));
        }
    }

    [Theory]
    [InlineData("nanodet", ResizeMode.Stretch, ChannelOrder.Bgr, 1)]
    [InlineData("yolox", ResizeMode.LetterboxTopLeft, ChannelOrder.Bgr, 1)]
    [InlineData("yolov5", ResizeMode.LetterboxCenter, ChannelOrder.Rgb, 255)]
    [InlineData("yolov8", ResizeMode.LetterboxCenter, ChannelOrder.Rgb, 255)]
    [InlineData("efficientdet", ResizeMode.LetterboxTopLeft, ChannelOrder.Rgb, 255)]
    [InlineData("detr", ResizeMode.Stretch, ChannelOrder.Rgb, 255)]
    public void Inspect_uses_the_conventions_of_the_family(string family, ResizeMode resize, ChannelOrder channels, float scale)
    {
        var input = Inspect(CellDetector.Build(family, Plain, 1).Metadata("names", "['red', 'blue']")).Require().Input;

        Assert.Equal((resize, channels, scale), (input.Resize, input.Channels, input.Scale));
        Assert.Equal(family == "efficientdet" ? null : 114f, input.Padding);
        Assert.Equal(family is "efficientdet" or "detr" ? [0.229f, 0.224f, 0.225f] : family == "nanodet" ? [57.375f, 57.12f, 58.395f] : [1f, 1f, 1f], input.Std);
    }

    [Theory]
    [InlineData(TensorLayout.Nhwc, TensorElement.UInt8)]
    [InlineData(TensorLayout.Nhwc, TensorElement.Float32)]
    [InlineData(TensorLayout.Nchw, TensorElement.Float16)]
    [InlineData(TensorLayout.Nchw, TensorElement.UInt8)]
    public void Reads_layout_and_type_from_the_graph(TensorLayout layout, TensorElement element)
    {
        var spec = Plain with { Layout = layout, Element = element, Scale = element == TensorElement.UInt8 ? 1 : 255 };

        var input = Inspect(CellDetector.Build("yolov8", spec, "batch").Metadata("names", "{0: 'red', 1: 'blue'}")).Require().Input;

        Assert.Equal((layout, element, element == TensorElement.UInt8 ? 1f : 255f), (input.Layout, input.Element, input.Scale));
    }

    [Theory]
    [InlineData("nanodet")]
    [InlineData("yolox")]
    [InlineData("yolov5")]
    [InlineData("yolov8")]
    [InlineData("efficientdet")]
    public void Takes_an_open_size_from_imgsz_and_runs_the_graph_for_the_rest(string family)
    {
        var graph = CellDetector.Build(family, Plain, "batch", open: true)
            .Metadata("names", "{0: 'red', 1: 'blue'}").Metadata("imgsz", "[64, 64]").Metadata("task", "detect");

        Assert.Equal(family, Inspect(graph).Require().Family);
    }

    [Fact]
    public void Open_size_without_imgsz_is_missing()
    {
        var inspection = Inspect(CellDetector.Build("yolov8", Plain, "batch", open: true).Metadata("names", "{0: 'red', 1: 'blue'}"));

        var missing = Assert.Single(inspection.Missing);
        Assert.Contains("write \"input\": { \"width\": …, \"height\": … }", missing, StringComparison.Ordinal);
        Assert.Null(inspection.Manifest);
        Assert.Contains(missing, Assert.Throws<ModelException>(inspection.Require).Message, StringComparison.Ordinal);
        Assert.Equal("yolov8", Inspect(Last, """{ "input": { "width": 64, "height": 64 } }""").Require().Family);
    }

    [Fact]
    public void Unknown_labels_are_missing_with_their_number()
    {
        var inspection = Inspect(CellDetector.Build("yolov8", Plain, 1));

        Assert.Contains("write \"labels\": a list of the 2 class names", Assert.Single(inspection.Missing), StringComparison.Ordinal);
        Assert.Contains("\"family\": \"yolov8\"", inspection.Draft, StringComparison.Ordinal);
        Assert.Equal(["r", "b"], Inspect(Last, """{ "labels": ["r", "b"] }""").Require().Labels);
    }

    [Fact]
    public void Unknown_family_is_missing()
    {
        var inspection = Inspect(CellDetector.Build("rt-detr", Plain, 1));

        Assert.Contains("write \"family\": \"detr\" (softmax", inspection.Missing[0], StringComparison.Ordinal);
        Assert.Contains("write \"labels\"", inspection.Missing[1], StringComparison.Ordinal);
        Assert.Equal("rt-detr", Inspect(Last, """{ "family": "rt-detr", "labels": ["r", "b"] }""").Require().Family);
    }

    /// <summary>Export formats that the detector of these tests cannot build: only names and shapes are used.</summary>
    [Theory]
    [InlineData("NanoDet-Plus", "nanodet", "output:1,3598,34")]
    [InlineData("transposed", "yolov8", "output0:1,3549,6")]
    [InlineData("with masks beside", "yolov5", "output0:1,10647,7", "361:1,3,52,52,7")]
    [InlineData("Ultralytics RT-DETR", "rt-detr", "output0:1,300,6")]
    [InlineData("RF-DETR", "rt-detr", "dets:1,300,4", "labels:1,300,2")]
    [InlineData("torchvision", "ssd", "boxes:100,4", "labels:100", "scores:100")]
    [InlineData("EfficientDet with features and anchors", "efficientdet", "p3:1,8,52,52", "a:1,32526,4", "b:1,32526,2", "c:1,32526,4")]
    public void Inspect_of_other_exports_finds_their_family(string form, string expected, params string[] outputs)
    {
        var graph = WithOutputs(416, [.. outputs.Select(o => (o.Split(':')[0], o.Split(':')[1].Split(',').Select(long.Parse).ToArray()))]);
        if (form.StartsWith("Ultralytics", StringComparison.Ordinal))
        {
            graph.Metadata("author", "Ultralytics").Metadata("description", "Ultralytics rtdetr-l model trained on coco.yaml");
        }

        var manifest = Inspect(graph).Require();

        Assert.Equal(expected, manifest.Family);
        switch (form)
        {
            case "NanoDet-Plus":
                Assert.Equal((7, 0f), (manifest.Head!.RegMax, manifest.Head.CellOffset));
                Assert.Equal([8, 16, 32, 64], manifest.Head.Strides!);
                break;
            case "RF-DETR":
                Assert.Equal([0.485f, 0.456f, 0.406f], manifest.Input.Mean);
                break;
            case "torchvision":
                Assert.Equal(
                    (BoxFormat.X1Y1X2Y2, BoxUnit.Pixels, BackgroundClass.First),
                    (manifest.Head!.BoxFormat, manifest.Head.BoxUnit, manifest.Head.Background));
                break;
            case "EfficientDet with features and anchors":
                Assert.Equal(("a", "b"), (manifest.Head!.Outputs!["regression"], manifest.Head.Outputs["classification"]));
                break;
        }
    }

    [Fact]
    public void Normalisation_of_MMDetection_is_missing()
    {
        var graph = WithOutputs(416, ("dets", [1, 100, 5]), ("labels", [1, 100]));

        Assert.Contains("write \"input\": { \"scale\": 1, \"mean\"", Assert.Single(Inspect(graph).Missing), StringComparison.Ordinal);

        var manifest = Inspect(Last, """{ "input": { "scale": 1, "mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4] } }""").Require();
        Assert.Equal(
            ("ssd", BoxFormat.X1Y1X2Y2, BoxUnit.Pixels, BackgroundClass.None),
            (manifest.Family, manifest.Head!.BoxFormat, manifest.Head.BoxUnit, manifest.Head.Background));
    }

    /// <summary>The SSD of ONNX's model zoo: left, top, right, bottom, where TensorFlow has top, left, bottom, right.</summary>
    [Fact]
    public void Unknown_box_format_is_missing()
    {
        var graph = WithOutputs(416, ("bboxes", [1, 100, 4]), ("labels", [1, 100]), ("scores", [1, 100]));

        Assert.Contains("write \"family\"", Assert.Single(Inspect(graph).Missing), StringComparison.Ordinal);
        Assert.Contains("write \"head\": { \"boxFormat\"", Assert.Single(Inspect(Last, """{ "family": "ssd" }""").Missing), StringComparison.Ordinal);

        var manifest = Inspect(Last, """{ "family": "ssd", "head": { "boxFormat": "x1y1x2y2", "boxUnit": "fraction", "background": "first" } }""").Require();
        Assert.Equal(BoxFormat.X1Y1X2Y2, manifest.Head!.BoxFormat);
    }

    [Fact]
    public void The_largest_EfficientDet_has_larger_anchors()
    {
        const int Anchors = 9 * ((192 * 192) + (96 * 96) + (48 * 48) + (24 * 24) + (12 * 12));

        Assert.Equal(5, Inspect(WithOutputs(1536, ("regression", [1, Anchors, 4]), ("classification", [1, Anchors, 2]))).Require().Head!.AnchorScale);
    }

    /// <summary>YOLOX and NanoDet have tables of the same shape; without names of classes the values decide.</summary>
    [Theory]
    [InlineData("yolox", "yolox", 2)]
    [InlineData("yolox, decoded", "yolox", 2)]
    [InlineData("nanodet, one output", "nanodet", 2)]
    [InlineData("nanodet, outputs per map", "nanodet", 2)]
    public void Tables_of_the_same_shape_are_distinguished_by_their_values(string form, string expected, int classes)
    {
        var inspection = Inspect(CellDetector.Build(form, Plain, 1));

        Assert.Equal(expected, inspection.Family);
        Assert.Contains($"list of the {classes} class names", Assert.Single(inspection.Missing), StringComparison.Ordinal);
    }

    [Fact]
    public void Graph_with_an_unknown_input_is_refused()
    {
        var graph = CellDetector.Build("yolov8", Plain, 1).Metadata("names", "['a', 'b']");
        graph.Input("temperature", TensorElementType.Float, 1, 2);

        Assert.Contains("images, temperature, and the meaning of temperature is not known; export it with the picture as the only input", Assert.Throws<ModelException>(() => Inspect(graph)).Message, StringComparison.Ordinal);
    }

    /// <summary>RF-DETR #902, #961, #966: the head has one logit more than names.</summary>
    [Fact]
    public void Logit_after_the_last_name_of_rf_detr_is_ignored()
    {
        OnnxGraph Build(params string[] names)
        {
            var graph = new OnnxGraph().Metadata("names", $"[{string.Join(", ", names.Select(n => $"'{n}'"))}]");
            var x = graph.Input("input", TensorElementType.Float, 1, 3, 64, 64);
            graph.Output("dets", Constant(graph, x, 1, 300, 4), TensorElementType.Float, 1, 300, 4);
            return graph.Output("labels", Constant(graph, x, 1, 300, 4), TensorElementType.Float, 1, 300, 4);
        }

        Assert.Equal(BackgroundClass.Last, Inspect(Build("a", "b", "c")).Require().Head!.Background);
        Assert.Null(Inspect(Build("a", "b", "c", "d")).Require().Head?.Background);
        Assert.Contains("4 classes and \"labels\" has 2 names", Assert.Throws<ModelException>(() => Inspect(Build("a", "b"))).Message, StringComparison.Ordinal);
    }

    /// <summary>TensorFlow's other outputs have a width of the number of classes.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void Wide_outputs_do_not_hide_those_of_TensorFlow(int width)
    {
        var graph = CellDetector.Build("ssd", Plain, 1).Metadata("names", "['a', 'b']");
        graph.Output("detection_multiclass_scores", Constant(graph, "images", 1, 100, width), TensorElementType.Float, 1, 100, width);

        Assert.Equal("ssd", Inspect(graph).Require().Family);
    }

    [Fact]
    public void Named_open_channels_give_the_layout()
    {
        var graph = new OnnxGraph().Metadata("names", "['a', 'b']");
        var x = graph.Input("pixel_values", TensorElementType.Float, "batch_size", "num_channels", "height", "width");
        graph.Output("logits", Constant(graph, x, 1, 100, 3), TensorElementType.Float, "batch_size", 100, 3);
        graph.Output("pred_boxes", Constant(graph, x, 1, 100, 4), TensorElementType.Float, "batch_size", 100, 4);

        Assert.Contains("\"width\"", Assert.Single(Inspect(graph).Missing), StringComparison.Ordinal);
        Assert.Equal(("detr", TensorLayout.Nchw), Family(Inspect(Last, """{ "input": { "width": 800, "height": 608 } }""").Require()));

        static (string, TensorLayout) Family(ModelManifest manifest) => (manifest.Family, manifest.Input.Layout);
    }

    [Fact]
    public void Manifest_lines_override_the_graph()
    {
        var manifest = Inspect(
            CellDetector.Build("yolov8", Plain, 1).Metadata("names", "{0: 'red', 1: 'blue'}"),
            """{ "family": "yolo11", "labels": ["r", "b"], "iou": 0.33, "input": { "channels": "bgr" } }""").Require();

        Assert.Equal(("yolo11", 0.33f, ChannelOrder.Bgr), (manifest.Family, manifest.Iou, manifest.Input.Channels));
        Assert.Equal(ResizeMode.LetterboxCenter, manifest.Input.Resize);
        Assert.Equal(["r", "b"], manifest.Labels);
    }

    [Fact]
    public void File_that_is_not_a_model_is_one_clear_error()
    {
        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllText(path, "not a model");
        Assert.Contains("model.onnx: not an ONNX model that can be loaded", Assert.Throws<ModelException>(() => ModelInspector.Inspect(path)).Message, StringComparison.Ordinal);

        var half = CellDetector.Build("yolov8", Plain, 1).ToBytes();
        File.WriteAllBytes(path, half[..(half.Length / 2)]);
        Assert.Contains("not an ONNX model that can be loaded", Assert.Throws<ModelException>(() => ModelInspector.Inspect(path)).Message, StringComparison.Ordinal);

        var future = new OnnxGraph { OperatorSet = 99 };
        future.Output("output0", future.Input("images", TensorElementType.Float, 1, 3, 64, 64), TensorElementType.Float, 1, 3, 64, 64);
        Assert.Contains(
            "model.onnx: not an ONNX model that can be loaded (ONNX Runtime only *guarantees* support",
            Assert.Throws<ModelException>(() => Inspect(future)).Message,
            StringComparison.Ordinal);

        Assert.Contains("no such file", Assert.Throws<ModelException>(() => ModelInspector.Inspect(path + "x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Outputs_without_room_for_a_class_are_refused()
    {
        var graph = new OnnxGraph();
        var x = graph.Input("images", TensorElementType.Float, 1, 3, 64, 64);
        graph.Output("output0", Constant(graph, x, 1, 4, 84), TensorElementType.Float, 1, 4, 84);

        Assert.Contains("have 0 classes", Assert.Throws<ModelException>(() => Inspect(graph)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_larger_than_any_picture_is_refused()
    {
        var graph = new OnnxGraph();
        var x = graph.Input("images", TensorElementType.Float, 1, 3, 64, 100_000);
        graph.Output("output0", Constant(graph, x, 1, 6, 84), TensorElementType.Float, 1, 6, 84);

        Assert.Contains("\"input.width\" is 100000; a model of 8 to 8192 pixels", Assert.Throws<ModelException>(() => Inspect(graph)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Metadata_that_names_no_class_is_refused() =>
        Assert.Contains(
            "names 0 classes",
            Assert.Throws<ModelException>(() => Inspect(CellDetector.Build("yolov8", Plain, 1).Metadata("names", "{}"))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Family_of_unknown_outputs_is_missing_and_a_wrong_one_is_refused()
    {
        var graph = new OnnxGraph();
        var x = graph.Input("images", TensorElementType.Float, 1, 3, 64, 64);
        graph.Output("logits", Constant(graph, x, 1, 1000), TensorElementType.Float, 1, 1000);
        graph.Metadata("names", "['a', 'b']");

        Assert.Contains("the outputs logits [1000] do not tell", Assert.Single(Inspect(graph).Missing), StringComparison.Ordinal);
        var error = Assert.Throws<ModelException>(() => Inspect(Last, """{ "family": "yolov8" }"""));
        Assert.Contains("\"logits\" [1000]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[4 + 2 classes, cells]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("task", "segment", "the model is for the task \"segment\"")]
    [InlineData("names", "{0: 'red', 1: 'green', 2: 'blue'}", "its outputs have 2 classes and \"labels\" has 3 names")]
    public void Metadata_of_another_model_is_refused(string key, string value, string expected) =>
        Assert.Contains(
            expected, Assert.Throws<ModelException>(() => Inspect(CellDetector.Build("yolov8", Plain, 1).Metadata(key, value))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{ "input": { "width": 128 } }""", "correct its width, height or layout")]
    [InlineData("""{ "input": { "layout": "nhwc" } }""", "correct its width, height or layout")]
    [InlineData("""{ "input": { "element": "float16" } }""", "write \"element\": \"float32\"")]
    [InlineData("""{ "input": { "name": "x" } }""", "\"input.name\" is x, but the graph's inputs are images")]
    [InlineData("""{ "input": 7 }""", "\"input\" has a value of the wrong kind")]
    [InlineData("""{ "inputs": {} }""", "\"inputs\" is not a setting")]
    public void A_manifest_that_contradicts_the_graph_is_refused(string manifest, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<ModelException>(() => Inspect(CellDetector.Build("yolov8", Plain, 1).Metadata("names", "['a', 'b']"), manifest)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Names_of_the_metadata_are_taken_without_spaces_around_them()
    {
        var graph = CellDetector.Build("yolov8", Plain, 1).Metadata("names", "{1: 'two\\r', 0: ' one \\U0001F600'}");

        Assert.Equal(["one 😀", "two"], Inspect(graph).Require().Labels);
        graph.Metadata("names", "{0: 'one', 1: 'tw\\x00o'}");
        Assert.Contains("characters that cannot be printed", Assert.Throws<ModelException>(() => Inspect(graph)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_the_shared_models()
    {
        var yolox = ModelInspector.Inspect(SharedFiles.FindOrSkip("models/yolox_nano.onnx"));
        Assert.Equal("yolox", yolox.Family);
        Assert.Contains("list of the 80 class names", Assert.Single(yolox.Missing), StringComparison.Ordinal);

        var nanodet = ModelInspector.Inspect(SharedFiles.FindOrSkip("models/nanodet-g.onnx"));
        Assert.Equal("nanodet", nanodet.Family);
        Assert.Contains("list of the 80 class names", Assert.Single(nanodet.Missing), StringComparison.Ordinal);
    }

    private static InputSpec Plain { get; } = new() { Width = CellDetector.Size, Height = CellDetector.Size };

    private string Last => Path.Combine(_folder, "model.onnx");

    private static OnnxGraph WithOutputs(int size, params (string Name, long[] Shape)[] outputs)
    {
        var graph = new OnnxGraph().Metadata("names", "['a', 'b']");
        var x = graph.Input("images", TensorElementType.Float, 1, 3, size, size);
        foreach (var (name, shape) in outputs)
        {
            graph.Output(name, Constant(graph, x, shape), TensorElementType.Float, [.. shape.Select(d => (OnnxGraph.Dim)(int)d)]);
        }

        return graph;
    }

    private static string Constant(OnnxGraph graph, string input, params long[] shape)
    {
        var zero = graph.Node("Mul", [graph.Node("ReduceMean", [input], ("keepdims", 0)), graph.Floats([0], [])]);
        return graph.Node("Add", [graph.Floats(new float[shape.Aggregate(1L, (a, b) => a * b)], shape), zero]);
    }

    private ModelInspection Inspect(OnnxGraph graph, string? manifest = null) => Inspect(graph.Save(Last), manifest);

    private ModelInspection Inspect(string path, string? manifest)
    {
        var file = manifest is null ? null : Path.Combine(_folder, "model.json");
        if (file is not null)
        {
            File.WriteAllText(file, manifest);
        }

        return ModelInspector.Inspect(path, file);
    }
}
