using Detection.Inference.Inspection;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Detection.Inference.Tests.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Tests.RealNetworks;

/// <summary>
/// Published networks with the least manifest that they need, on photos: the boxes are those of a decoder that was written for the test. The two
/// round differently, and a suppression that meets a near tie drops another box, so nearly all boxes must agree. The dynamic quantisation of YOLO11n
/// makes other steps of each picture's own range, and a small difference of the input a larger one of the score.
/// </summary>
public sealed class RealNetworkTests : IDisposable
{
    private const int Photos = 30;
    private const double Sure = 0.3;
    private const double Share = 0.97;

    private readonly string _folder = Directory.CreateTempSubdirectory("networks").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("nanodet-g", "nanodet-g.onnx", """{ "labels": "coco80" }""", "nanodet", 0.02)]
    [InlineData("nanodet-plus-m-1.5x", "nanodet-plus-m-1.5x/model.onnx", """{ "labels": "coco80" }""", "nanodet", 0.02)]
    [InlineData("picodet-xs-416", "picodet-xs-416/model.onnx", """{ "labels": "coco80" }""", "picodet", 0.02)]
    [InlineData("picodet-xs-320-nms", "picodet-xs-320-nms/model.onnx", """{ "family": "picodet", "labels": "coco80" }""", "picodet", 0.02)]
    [InlineData("yolov6lite-s", "yolov6lite-s/model.onnx", """{ "labels": "coco80" }""", "yolov5", 0.02)]
    [InlineData("yolox_nano", "yolox_nano.onnx", """{ "labels": "coco80" }""", "yolox", 0.02)]
    [InlineData("yolo11n-int8", "yolo11n-int8/model.onnx", "{}", "yolov8", 0.08)]
    [InlineData("ssd-mobilenet-v1", "ssd-mobilenet-v1/model.onnx", """{ "labels": "coco90" }""", "ssd", 0.02)]
    [InlineData("yunet", "tasks/yunet_n_640_640.onnx", "{}", "yunet", 0.02)]
    public async Task Boxes_agree_with_an_independent_decoder(string network, string file, string manifest, string family, double tolerance)
    {
        var onnx = SharedFiles.FindOrSkip($"models/{file}");
        var photos = Directory.GetFiles(SharedFiles.FindOrSkip("images/coco-person"), "*.jpg").Order(StringComparer.Ordinal).Take(Photos).ToList();
        var model = Path.Combine(_folder, network);
        Directory.CreateDirectory(model);
        File.Copy(onnx, Path.Combine(model, "model.onnx"));
        File.WriteAllText(Path.Combine(model, "model.json"), manifest);
        var source = ModelFile.Read(model);
        Assert.Equal(family, source.Manifest.Family);
        await using var loaded = await DroppedModel.Load(source);
        using var session = new InferenceSession(onnx);
        var decoder = new PlainDecoder(session, network);

        var (boxes, agreeing) = (0, 0);
        foreach (var photo in photos)
        {
            var bytes = File.ReadAllBytes(photo);
            List<PlainBox> ours = [.. (await loaded.Detect(bytes))[0].Boxes.Select(b => new PlainBox(b.ClassId, b.Score, b.X1, b.Y1, b.X2, b.Y2))];
            var plain = decoder.Boxes(new PlainPicture(bytes));
            boxes += ours.Count(IsSure) + plain.Count(IsSure);
            agreeing += ours.Where(IsSure).Count(box => plain.Exists(other => Agree(box, other, tolerance))) + plain.Where(IsSure).Count(box => ours.Exists(other => Agree(box, other, tolerance)));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{network}: {agreeing} of {boxes} boxes agree ({100.0 * agreeing / boxes:0.0} %)");
        Assert.InRange(boxes, 30, int.MaxValue);
        Assert.InRange(agreeing, Share * boxes, boxes);
    }

    /// <summary>
    /// NanoDet and NanoDet-Plus with one table on three maps (nanodet #410, #585) differ in where a cell is, by half a cell: real networks prove which.
    /// </summary>
    [Theory]
    [InlineData(false, 0.5f)]
    [InlineData(true, 0f)]
    public void Place_of_cells_on_three_maps_is_proven_by_the_known_picture(bool isPlus, float offset)
    {
        var added = new OnnxGraph { Prefix = "added" };
        byte[] model;
        if (isPlus)
        {
            // The rows of the first three maps, under the name of all.
            model = File.ReadAllBytes(SharedFiles.FindOrSkip("models/nanodet-plus-m-1.5x/model.onnx"));
            for (var at = model.AsSpan().IndexOf("output"u8); at >= 0; at = model.AsSpan().IndexOf("output"u8))
            {
                model[at] = (byte)'O';
            }

            added.Output("output", added.Node("Slice", ["Output", added.Longs(0), added.Longs(3549), added.Longs(1)]), TensorElementType.Float, "batch", 3549, 112);
        }
        else
        {
            model = File.ReadAllBytes(Path.Combine(Testing.Repository.Root, "models", "nanodet-g", "model.onnx"));
            added.Output("output", added.Node("Concat", ["scores", "distances"], ("axis", 2)), TensorElementType.Float, "batch", 3549, 124);
        }

        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllBytes(path, added.AddedTo(model));
        var manifest = Path.Combine(_folder, "model.json");
        File.WriteAllText(manifest, """{ "labels": "coco80" }""");

        var inspection = ModelInspector.Inspect(path, manifest);

        Assert.Equal(offset, inspection.Require().Head!.CellOffset);
        Assert.Contains(inspection.Notes, note => note.EndsWith($"as NanoDet{(isPlus ? "-Plus" : "")}; read so, it finds the same objects in a known picture and in its mirror image", StringComparison.Ordinal));
    }

    private static bool IsSure(PlainBox box) => box.Score > Sure;

    private static bool Agree(PlainBox one, PlainBox other, double tolerance) =>
        one.Class == other.Class && Math.Abs(one.Score - other.Score) <= tolerance && one.Overlap(other) >= 0.9;
}
