namespace Detection.Tool.Tests;

/// <summary><c>detection inspect</c>.</summary>
public sealed class InspectTests : IDisposable
{
    private static readonly string NanoDet = Path.Combine(Repository.Root, "models", "nanodet-g", "model.onnx");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Inspect_shows_everything_about_a_usable_model()
    {
        var run = (await DetectionTool.RunAsync("inspect", "nanodet-g")).Expect(0);

        Assert.Equal(
            [
                "input     images Float [batch, 3, 416, 416]",
                "output    scores Float [batch, 3549, 80]",
                "output    distances Float [batch, 3549, 44]",
                "family    nanodet",
                "size      416×416, stretch",
                "layout    nchw, float32, bgr, any batch",
                "values    (value / 1 − [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]",
                "labels    80: person, bicycle, car, motorcycle, … toothbrush",
            ],
            run.Lines[1..9]);
        Assert.Contains("missing   nothing, it can be used as it is", run.Lines);
        Assert.Contains("  \"family\": \"nanodet\",", run.Lines);
    }

    [Fact]
    public async Task Inspect_of_a_bare_file_names_the_missing_lines()
    {
        var run = (await DetectionTool.RunAsync("inspect", SharedFiles.FindOrSkip("models/yolox_nano.onnx"))).Expect(1);

        Assert.Contains("family    yolox", run.Lines);
        Assert.Contains("size      416×416, letterboxTopLeft, padding 114", run.Lines);
        Assert.Contains("layout    nchw, float32, bgr, batch 1 fixed", run.Lines);
        Assert.Contains("labels    not known, perhaps coco80", run.Lines);
        Assert.Single(run.Lines, line => line.StartsWith("missing   write \"labels\": a list of the 80 class names", StringComparison.Ordinal));
        Assert.EndsWith(
            "; \"coco80\" if the model was trained on that data set, which has 80 classes",
            Assert.Single(run.Lines, line => line.StartsWith("missing", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        Assert.Contains("  \"family\": \"yolox\",", run.Lines);
        Assert.DoesNotContain("\"labels\"", run.Output[run.Output.IndexOf("model.json", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_uses_the_names_of_a_label_set()
    {
        string yolox = SharedFiles.FindOrSkip("models/yolox_nano.onnx");
        var run = (await DetectionTool.RunAsync("inspect", yolox, "--names", "coco80")).Expect(0);
        Assert.Contains("labels    80: person, bicycle, car, motorcycle, … toothbrush", run.Lines);

        var wrong = (await DetectionTool.RunAsync("inspect", yolox, "--names", "coco81")).Expect(1);
        Assert.Contains("There is no model coco81", wrong.Error, StringComparison.Ordinal);
        Assert.Contains("coco80", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_writes_a_manifest_with_which_the_model_works()
    {
        var bare = _folder.Copy(NanoDet, "own.onnx");
        var first = (await DetectionTool.RunAsync("inspect", bare, "--names", "nanodet-g", "--write")).Expect(0);
        Assert.Contains($"Written: {_folder.Of("own", "model.json")}", first.Lines);
        Assert.Contains($"It is used once the model is at {_folder.Of("own", "model.onnx")}.", first.Lines);
        File.Move(bare, _folder.Of("own", "model.onnx"));

        var detect = (await DetectionTool.RunAsync(
            "detect", TestPictures.Path("tourist.webp"), "--models", _folder.Path, "--model", "own")).Expect(0);
        Assert.Contains("person 0.", detect.Output, StringComparison.Ordinal);

        var again = (await DetectionTool.RunAsync("inspect", "own", "--models", _folder.Path, "--write")).Expect(1);
        Assert.Contains("--force overwrites it", again.Error, StringComparison.Ordinal);
        var manifest = File.ReadAllText(_folder.Of("own", "model.json"));
        (await DetectionTool.RunAsync("inspect", "own", "--models", _folder.Path, "--write", "--force")).Expect(0);
        Assert.Equal(manifest, File.ReadAllText(_folder.Of("own", "model.json")));
    }

    [Fact]
    public async Task Finds_the_graph_of_a_folder_whatever_it_is_called_and_writes_beside_it()
    {
        Directory.CreateDirectory(_folder.Of("own"));
        File.Copy(NanoDet, _folder.Of("own", "best.ONNX"));
        string[] byName = ["inspect", "own", "--models", _folder.Path];
        var missing = (await DetectionTool.RunAsync(byName)).Expect(1);
        Assert.StartsWith($"model     {_folder.Of("own", "best.ONNX")},", missing.Lines[0], StringComparison.Ordinal);

        var written = (await DetectionTool.RunAsync([.. byName, "--names", "coco80", "--write"])).Expect(0);
        Assert.Contains($"Written: {_folder.Of("own", "model.json")}", written.Lines);
        Assert.DoesNotContain("It is used once", written.Output, StringComparison.Ordinal);

        (await DetectionTool.RunAsync("inspect", _folder.Of("own"))).Expect(0);
        File.Copy(NanoDet, _folder.Of("own", "last.onnx"));
        var several = (await DetectionTool.RunAsync("inspect", _folder.Of("own"))).Expect(1);
        Assert.Contains("has 2 graphs (best.ONNX, last.onnx) and none of them is model.onnx", several.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_of_another_file_is_one_line_of_error()
    {
        var run = (await DetectionTool.RunAsync("inspect", _folder.Copy(TestPictures.Path("rocket.jpg"), "corrupt.onnx"))).Expect(1);

        Assert.Empty(run.Output);
        var line = Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("corrupt.onnx: not an ONNX model that can be loaded", line, StringComparison.Ordinal);
    }
}
