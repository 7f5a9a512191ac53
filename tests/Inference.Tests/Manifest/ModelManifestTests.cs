using System.Text.Json.Nodes;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Xunit;

namespace Detection.Inference.Tests.Manifest;

public sealed class ModelManifestTests : IDisposable
{
    private const string Complete = """
        {
          "family": "nanodet",
          "input": { "name": "images", "width": 416, "height": 320, "resize": "stretch", "channels": "bgr", "layout": "nchw",
                     "element": "float32", "scale": 1, "mean": [103.53, 116.28, 123.675], "std": [57.375, 57.12, 58.395] },
          "labels": ["person", "dog"],
          "scoreFloor": 0.05, "threshold": 0.45, "iou": 0.55
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("manifest").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Reads_every_line()
    {
        var manifest = Load(Complete);

        Assert.Equal("nanodet", manifest.Family);
        Assert.Equal(("images", 416, 320), (manifest.Input.Name, manifest.Input.Width, manifest.Input.Height));
        Assert.Equal((ResizeMode.Stretch, ChannelOrder.Bgr), (manifest.Input.Resize, manifest.Input.Channels));
        Assert.Equal((TensorLayout.Nchw, TensorElement.Float32, 1f), (manifest.Input.Layout, manifest.Input.Element, manifest.Input.Scale));
        Assert.Equal([103.53f, 116.28f, 123.675f], manifest.Input.Mean);
        Assert.Equal([57.375f, 57.12f, 58.395f], manifest.Input.Std);
        Assert.Equal(["person", "dog"], manifest.Labels);
        Assert.Equal((0.05f, 0.45f, 0.55f), (manifest.ScoreFloor, manifest.Threshold, manifest.Iou));
    }

    [Fact]
    public void Lines_left_out_take_their_defaults()
    {
        var manifest = Load("""{ "family": "nanodet", "input": { "width": 416, "height": 416 }, "labels": ["a"] }""");

        Assert.Equal((0.05f, 0.4f, 0.6f, 300), (manifest.ScoreFloor, manifest.Threshold, manifest.Iou, manifest.MaxBoxes));
        Assert.Equal((255f, 114f, true), (manifest.Input.Scale, manifest.Input.Padding, manifest.Input.Enlarge));
        Assert.Equal([0f, 0f, 0f], manifest.Input.Mean);
        Assert.Equal([1f, 1f, 1f], manifest.Input.Std);
        Assert.Null(manifest.ClassAgnostic);
    }

    [Fact]
    public void Labels_may_be_a_file_beside_it()
    {
        File.WriteAllText(Path.Combine(_folder, "names.txt"), "person\n hot dog \n\n");

        Assert.Equal(["person", "hot dog"], Load(With("labels", "names.txt")).Labels);
    }

    [Fact]
    public void Labels_may_be_a_label_set_and_a_file_of_its_name_wins()
    {
        Assert.Equal((80, "person", "toothbrush"), Ends(Load(With("labels", "coco80"))));

        string file = Path.Combine(_folder, "coco80");
        File.WriteAllText(file, "own\nnames\n");
        Assert.Equal(["own", "names"], Load(With("labels", "coco80")).Labels);

        File.Delete(file);
        File.CreateSymbolicLink(file, Path.Combine(_folder, "nowhere"));
        var error = Assert.Throws<ModelException>(() => Load(With("labels", "coco80")));
        Assert.Contains("the label file \"coco80\" cannot be read", error.Message, StringComparison.Ordinal);

        File.Delete(file);
        Assert.Equal((601, "Tortoise", "Helmet"), Ends(Load(With("labels", "openimages"))));
        Assert.Equal((80, "person", "toothbrush"), Ends(Load(With("labels", "coco80"))));

        static (int, string, string) Ends(ModelManifest manifest) => (manifest.Labels.Count, manifest.Labels[0], manifest.Labels[^1]);
    }

    [Theory]
    [InlineData("coco")]
    [InlineData("COCO80")]
    [InlineData("coco80.txt")]
    public void A_label_set_that_does_not_exist_is_refused_with_the_names_of_all(string name)
    {
        var error = Assert.Throws<ModelException>(() => Load(With("labels", name)));

        Assert.Contains($"the label file \"{name}\" cannot be read", error.Message, StringComparison.Ordinal);
        Assert.Contains("coco80, coco90, dota15,", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Saved_manifest_reads_back_the_same()
    {
        var manifest = Load(Complete) with
        {
            MaxBoxes = 7,
            ClassAgnostic = true,
            Head = new HeadOptions { Strides = [8, 16], RegMax = 7, CellOffset = 0, Outputs = new Dictionary<string, string> { ["Scores"] = "cls" } },
        };
        manifest = manifest with { Input = manifest.Input with { Padding = null, Element = TensorElement.Float16, Resize = ResizeMode.LetterboxTopLeft } };
        var path = Path.Combine(_folder, "saved.json");

        manifest.Save(path);
        var again = ManifestCheck.Load(path);

        Assert.Equal(manifest.ToJson(), again.ToJson());
        Assert.Null(again.Input.Padding);
        Assert.Equal((TensorElement.Float16, ResizeMode.LetterboxTopLeft), (again.Input.Element, again.Input.Resize));
        Assert.Equal([8, 16], again.Head!.Strides!);
        Assert.Equal("cls", again.Head.Outputs!["Scores"]);
        Assert.Equal(["model.json", "saved.json"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("family", "\"yolo99\"", "\"family\" is yolo99; write one of nanodet")]
    [InlineData("family", "null", "write \"family\": one of nanodet")]
    [InlineData("family", "5", "\"family\" has a value of the wrong kind")]
    [InlineData("labels", "[]", "\"labels\" is empty; write the names")]
    [InlineData("labels", "[\"a\", \"\"]", "\"labels\" is a list with an empty name")]
    [InlineData("labels", "{}", "\"labels\" has a value of the wrong kind; write a list of names")]
    [InlineData("labels", "\"none.txt\"", "label file \"none.txt\" cannot be read")]
    [InlineData("labels", "\"../names.txt\"", "name of a file in the same folder")]
    [InlineData("scoreFloor", "-0.1", "\"scoreFloor\" is -0.1; write a number from 0 to 1")]
    [InlineData("threshold", "1.5", "\"threshold\" is 1.5; write a number from 0 to 1")]
    [InlineData("threshold", "0.01", "a number not below \"scoreFloor\"")]
    [InlineData("iou", "0", "\"iou\" is 0; write a number above 0")]
    [InlineData("maxBoxes", "0", "\"maxBoxes\" is 0; write a whole number from 1")]
    [InlineData("maxBoxes", "1.5", "\"maxBoxes\" has a value of the wrong kind")]
    [InlineData("input", "{ \"width\": 416 }", "write \"input\": { \"width\": …, \"height\": … }")]
    [InlineData("input", "{ \"width\": 416, \"height\": 0 }", "\"input.height\" is 0; write the input's height in pixels")]
    [InlineData("input", "{ \"width\": 416, \"height\": 416, \"std\": [1, 0, 1] }", "\"input.std\" is not three numbers above 0")]
    [InlineData("input", "{ \"width\": 416, \"height\": 416, \"mean\": [1] }", "\"input.mean\" is not three numbers")]
    [InlineData("input", "{ \"width\": 416, \"height\": 416, \"resize\": \"crop\" }", "\"input.resize\" has a value of the wrong kind; write one of stretch")]
    [InlineData("input", "{ \"width\": 416, \"height\": 416, \"element\": \"uint8\" }", "\"input.element\" is uint8 together with a normalisation")]
    [InlineData("input", "{ \"width\": 416, \"height\": 416, \"size\": 3 }", "\"input.size\" is not a setting; known here are name, width")]
    [InlineData("head", "{ \"anchorScale\": 3 }", "\"head.anchorScale\" is no setting of the family nanodet")]
    [InlineData("head", "{ \"strides\": [0] }", "\"head.strides\" must be whole numbers of 1 or more")]
    [InlineData("nms", "0.4", "\"nms\" is not a setting; known here are family, input")]
    public void Invalid_line_is_named_with_its_correction(string member, string value, string expected)
    {
        var manifest = JsonNode.Parse(Complete)!.AsObject();
        manifest[member] = JsonNode.Parse(value);

        var error = Assert.Throws<ModelException>(() => Load(manifest.ToJsonString()));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("model.json", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"family\": ", "not valid JSON: line 1")]
    [InlineData("[]", "a manifest is a JSON object")]
    [InlineData("{ \"family\": \"nanodet\", \"family\": \"nanodet\" }", "not valid JSON")]
    public void Text_that_is_not_a_manifest_is_refused(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<ModelException>(() => Load(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_file_is_refused() =>
        Assert.Contains("cannot be read", Assert.Throws<ModelException>(() => ManifestCheck.Load(Path.Combine(_folder, "no.json"))).Message, StringComparison.Ordinal);

    private static string With(string member, string value)
    {
        var manifest = JsonNode.Parse(Complete)!.AsObject();
        manifest[member] = value;
        return manifest.ToJsonString();
    }

    private ModelManifest Load(string text)
    {
        var path = Path.Combine(_folder, "model.json");
        File.WriteAllText(path, text);
        return ManifestCheck.Load(path);
    }
}
