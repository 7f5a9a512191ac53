using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Detection.Tool.Tests;

/// <summary><c>detection eval</c>.</summary>
public sealed partial class EvalTests : IDisposable
{
    private static readonly string Pictures = Path.Combine(Repository.Root, "tests", "pictures");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Eval_measures_persons_in_the_photos_of_the_repository()
    {
        var results = _folder.Of("results.json");
        var run = await EvaluateAsync("nanodet-g", Path.Combine(Pictures, "expected.json"), Pictures, "--labels", "person", "--results", results);

        Assert.Contains("11 pictures, classes: person", run.Error, StringComparison.Ordinal);
        Assert.InRange(Value(run, 0), 0.55, 1);
        Assert.InRange(Value(run, 1), 0.75, 1);

        var boxes = JsonDocument.Parse(File.ReadAllText(results)).RootElement.EnumerateArray().ToList();
        Assert.All(boxes, box => Assert.Equal(0, box.GetProperty("category_id").GetInt32()));
        Assert.InRange(boxes.Select(box => box.GetProperty("image_id").GetInt32()).Distinct().Count(), 8, 11);
        Assert.All(boxes, box => Assert.Equal(4, box.GetProperty("bbox").GetArrayLength()));
    }

    [Fact]
    public async Task Eval_measures_all_annotated_classes_by_default()
    {
        var run = await EvaluateAsync("nanodet-g", Path.Combine(Pictures, "expected.json"), Pictures);

        Assert.Contains("classes: person, bird, cat, cup, spoon, dining table, cell phone", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eval_measures_the_default_model_on_COCO_photos()
    {
        var photos = SharedFiles.FindOrSkip("images/coco-person");
        var run = await EvaluateAsync("nanodet-g", Path.Combine(photos, "annotations.json"), photos);

        // A reference run gave 0.362 and 0.614.
        Assert.InRange(Value(run, 0), 0.35, 1);
        Assert.InRange(Value(run, 1), 0.60, 1);
    }

    [Fact]
    public async Task Eval_measures_a_bare_YOLOX_Nano_on_COCO_photos()
    {
        var photos = SharedFiles.FindOrSkip("images/coco-person");
        var model = SharedFiles.FindOrSkip("models/yolox_nano.onnx");
        var run = await EvaluateAsync(model, Path.Combine(photos, "annotations.json"), photos, "--names", "nanodet-g");

        // A reference run gave 0.428 and 0.695.
        Assert.InRange(Value(run, 0), 0.41, 1);
        Assert.InRange(Value(run, 1), 0.68, 1);
    }

    [Fact]
    public async Task Eval_reports_invalid_annotations_and_pictures()
    {
        var elsewhere = (await DetectionTool.RunAsync(
            "eval", "nanodet-g", "--coco", Path.Combine(Pictures, "expected.json"), "--images", _folder.Path)).Expect(1);
        Assert.Contains("11 of 11 pictures are not there", elsewhere.Error, StringComparison.Ordinal);

        File.WriteAllText(_folder.Of("broken.json"), "{\"images\": [");
        var broken = (await DetectionTool.RunAsync(
            "eval", "nanodet-g", "--coco", _folder.Of("broken.json"), "--images", _folder.Path)).Expect(1);
        Assert.Contains("not a COCO annotation file", broken.Error, StringComparison.Ordinal);

        _folder.Copy(TestPictures.Path("rocket.jpg"), "one.jpg");
        File.WriteAllText(
            _folder.Of("other.json"),
            """{"images":[{"id":1,"file_name":"one.jpg","width":640,"height":427}],"annotations":[],"categories":[{"id":1,"name":"unicorn"}]}""");
        var other = (await DetectionTool.RunAsync("eval", "nanodet-g", "--coco", _folder.Of("other.json"), "--images", _folder.Path)).Expect(1);
        Assert.Contains("No class of the annotations (unicorn)", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_picture_or_other_size_is_reported_and_fails_the_command()
    {
        _folder.Copy(TestPictures.Path("rocket.jpg"), "one.jpg");
        _folder.Copy(TestPictures.Path("edge/corrupt.png"), "two.png");
        File.WriteAllText(
            _folder.Of("a.json"),
            """
            {"images":[{"id":1,"file_name":"one.jpg","width":64,"height":42},{"id":2,"file_name":"two.png","width":160,"height":112}],
             "annotations":[],"categories":[{"id":1,"name":"person"}]}
            """);

        var run = (await DetectionTool.RunAsync("eval", "nanodet-g", "--coco", _folder.Of("a.json"), "--images", _folder.Path)).Expect(1);

        Assert.Contains("1 pictures have another size", run.Error, StringComparison.Ordinal);
        Assert.Contains("1 pictures failed", run.Error, StringComparison.Ordinal);
        Assert.Equal(12, run.Lines.Length);
    }

    private static async Task<ToolRun> EvaluateAsync(string model, string annotations, string images, params string[] options)
    {
        var run = (await DetectionTool.RunAsync(["eval", model, "--coco", annotations, "--images", images, .. options])).Expect(0);
        Assert.Equal(12, run.Lines.Length);
        Assert.All(run.Lines, line => Assert.Matches(TableLine(), line));
        return run;
    }

    private static double Value(ToolRun run, int line) =>
        double.Parse(TableLine().Match(run.Lines[line]).Groups["value"].Value, CultureInfo.InvariantCulture);

    // In the format of pycocotools.
    [GeneratedRegex(@"^ Average (Precision  \(AP\)|Recall     \(AR\)) @\[ IoU=(0\.50:0\.95|0\.50     |0\.75     ) \| area=(   all| small|medium| large) \| maxDets=(  1| 10|100) \] = (?<value>-?\d\.\d{3})$")]
    private static partial Regex TableLine();
}
