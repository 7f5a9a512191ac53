using System.Net;
using System.Text.Json;
using Detection.Inference.Pictures;

namespace Detection.Tool.Tests;

/// <summary><c>detection detect</c>.</summary>
public sealed class DetectTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Detect_finds_a_person_draws_the_boxes_and_continues_after_an_invalid_picture()
    {
        var bad = TestPictures.Path("edge/corrupt.png");
        var tourist = TestPictures.Path("tourist.webp");

        var run = (await DetectionTool.RunAsync(
            "detect", bad, "nothere.jpg", tourist, "--out", _folder.Of("out"), "--json", _folder.Of("found.json"))).Expect(1);

        var line = Assert.Single(run.Lines);
        Assert.StartsWith($"{tourist}: 1200×800: person 0.", line, StringComparison.Ordinal);
        Assert.Contains($"{bad}: The PNG picture is damaged", run.Error, StringComparison.Ordinal);
        Assert.Contains("nothere.jpg: there is no such file", run.Error, StringComparison.Ordinal);
        Assert.Contains("3 pictures, 2 failed, ", run.Error, StringComparison.Ordinal);

        var found = File.ReadAllLines(_folder.Of("found.json")).Select(text => JsonDocument.Parse(text).RootElement).ToList();
        Assert.Equal([bad, "nothere.jpg", tourist], found.Select(picture => picture.GetProperty("picture").GetString()));
        Assert.Equal([true, true, false], found.Select(picture => picture.TryGetProperty("error", out _)));
        Assert.Equal((1200, 800), (found[2].GetProperty("width").GetInt32(), found[2].GetProperty("height").GetInt32()));
        var best = found[2].GetProperty("boxes")[0];
        Assert.Equal("person", best.GetProperty("label").GetString());

        // Drawn by eye: 144, 168 to 1200, 800.
        Assert.InRange(best.GetProperty("x1").GetDouble(), 100, 200);
        Assert.InRange(best.GetProperty("y1").GetDouble(), 120, 220);
        Assert.InRange(best.GetProperty("x2").GetDouble(), 1100, 1200);

        var drawn = Assert.Single(Directory.GetFiles(_folder.Of("out")));
        Assert.Equal(drawn, found[2].GetProperty("annotated").GetString());
        Assert.Equal(new PictureHeader(PictureFormat.Jpeg, 1200, 800), PictureDecoder.ReadHeader(File.ReadAllBytes(drawn), new PictureLimits()));
        using var annotated = PictureDecoder.Decode(File.ReadAllBytes(drawn), new PictureLimits());
        using var original = PictureDecoder.Decode(File.ReadAllBytes(tourist), new PictureLimits());
        Assert.True(Difference(annotated, original, (int)best.GetProperty("x1").GetDouble()) > 20, "No line is drawn where the box begins.");
    }

    [Fact]
    public async Task Json_on_standard_output_is_its_only_content()
    {
        var run = (await DetectionTool.RunAsync("detect", TestPictures.Path("tourist.webp"), "nothere.jpg", "--json", "-")).Expect(1);

        Assert.Equal(2, run.Lines.Length);
        Assert.All(run.Lines, line => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind));
        Assert.Contains("2 pictures, 1 failed", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Threshold_labels_and_max_select_boxes()
    {
        var tourist = TestPictures.Path("tourist.webp");
        var phones = (await DetectionTool.RunAsync("detect", tourist, "--labels", "Cell Phone")).Expect(0);
        Assert.StartsWith($"{tourist}: 1200×800: cell phone 0.", Assert.Single(phones.Lines), StringComparison.Ordinal);

        var high = (await DetectionTool.RunAsync("detect", tourist, "--threshold", "0.999")).Expect(0);
        Assert.Equal($"{tourist}: 1200×800: nothing", Assert.Single(high.Lines));

        // The manifest keeps boxes down to a score of 0.05, and 300 of them; the options can ask for more.
        Assert.Equal(300, await CountAsync("--threshold", "0.05"));
        var atFloor = await CountAsync("--threshold", "0.05", "--max", "9000");
        Assert.InRange(atFloor, 301, 9000);
        Assert.InRange(await CountAsync("--threshold", "0.02", "--max", "9000"), atFloor + 1, 9000);
        Assert.InRange(await CountAsync("--threshold", "0.05", "--max", "9000", "--iou", "1"), atFloor + 1, 9000);
        Assert.Equal(2, await CountAsync("--threshold", "0.05", "--max", "2"));

        async Task<int> CountAsync(params string[] options)
        {
            var run = (await DetectionTool.RunAsync(["detect", tourist, "--json", "-", .. options])).Expect(0);
            return JsonDocument.Parse(run.Output).RootElement.GetProperty("boxes").GetArrayLength();
        }
    }

    [Fact]
    public async Task Detect_uses_the_pictures_of_a_folder_and_never_overwrites_them()
    {
        var jpeg = TestPictures.Path("rocket.jpg");
        var original = _folder.Copy(jpeg, "cat.jpg");
        _folder.Copy(TestPictures.Path("cat.png"), "cat.png");
        File.WriteAllText(_folder.Of("notes.txt"), "no picture");
        Directory.CreateDirectory(_folder.Of("more"));
        _folder.Copy(TestPictures.Path("birds.webp"), "more/birds.webp");

        var run = (await DetectionTool.RunAsync("detect", _folder.Path, "--out", _folder.Path)).Expect(0);

        Assert.Equal([_folder.Of("cat.jpg"), _folder.Of("cat.png")], run.Lines.Select(line => line.Split(": ")[0]));
        Assert.Equal(File.ReadAllBytes(jpeg), File.ReadAllBytes(original));
        Assert.True(File.Exists(_folder.Of("cat-2.jpg")));
        Assert.True(File.Exists(_folder.Of("cat-3.jpg")));

        var all = (await DetectionTool.RunAsync("detect", _folder.Path, "--recursive")).Expect(0);
        Assert.Contains(all.Lines, line => line.StartsWith(_folder.Of("more", "birds.webp") + ": 594×594: bird 0.", StringComparison.Ordinal));

        Directory.CreateDirectory(_folder.Of("empty"));
        var none = (await DetectionTool.RunAsync("detect", _folder.Of("empty"))).Expect(1);
        Assert.Contains("has no pictures", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_fetches_addresses_within_limits()
    {
        using var server = new HttpListener();
        var url = $"http://127.0.0.1:{LoopbackPorts.Next()}/";
        server.Prefixes.Add(url);
        server.Start();
        var picture = await File.ReadAllBytesAsync(TestPictures.Path("tourist.webp"));
        var serving = Task.Run(async () =>
        {
            for (var request = 0; request < 3; request++)
            {
                var context = await server.GetContextAsync();
                switch (context.Request.Url!.AbsolutePath)
                {
                    case "/tourist%20one.webp":
                        context.Response.ContentLength64 = picture.Length;
                        await context.Response.OutputStream.WriteAsync(picture);
                        context.Response.Close();
                        break;
                    case "/large":
                        context.Response.ContentLength64 = 21 * 1024 * 1024;
                        await context.Response.OutputStream.WriteAsync(new byte[1]);
                        break;
                    default:
                        context.Response.StatusCode = 404;
                        context.Response.Close();
                        break;
                }
            }
        });

        var run = (await DetectionTool.RunAsync(
            "detect", $"{url}tourist%20one.webp", $"{url}absent.jpg", $"{url}large", "http://127.0.0.1:1/x.jpg", "--out", _folder.Path)).Expect(1);
        await serving.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.StartsWith($"{url}tourist%20one.webp: 1200×800: person 0.", Assert.Single(run.Lines), StringComparison.Ordinal);
        Assert.Contains($"{url}absent.jpg: the server answered 404 NotFound", run.Error, StringComparison.Ordinal);
        Assert.Contains($"{url}large: more than 20971520 bytes", run.Error, StringComparison.Ordinal);
        Assert.Contains("http://127.0.0.1:1/x.jpg: cannot be fetched", run.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.Of("tourist one.jpg")));
    }

    [Theory]
    [InlineData(1, "has no class 'unicorn'. Known are person, bicycle", "--labels", "unicorn")]
    [InlineData(1, "has no class 'persn'. Did you mean 'person'?", "--labels", "persn")]
    [InlineData(2, "There is no option '--treshold'. Did you mean '--threshold'?", "--treshold", "0.5")]
    [InlineData(2, "There is no option '--treshold'. Did you mean '--threshold'?", "--treshold=0.5")]
    [InlineData(2, "There is no option '-z'.", "-z")]
    [InlineData(1, "There is no model absent", "--model", "absent")]
    [InlineData(1, "no such file", "--model", "absent.onnx")]
    [InlineData(1, "names 'abacus'", "--device", "abacus")]
    [InlineData(2, "--threshold is 2; write 0 to 1", "--threshold", "2")]
    [InlineData(2, "--max is many; write 1 to 10000.", "--max", "many")]
    public async Task Invalid_command_line_is_one_line_with_the_correction(int exitCode, string said, params string[] options)
    {
        var run = (await DetectionTool.RunAsync(["detect", TestPictures.Path("tourist.webp"), .. options])).Expect(exitCode);

        Assert.Empty(run.Output);
        Assert.Contains(said, Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_of_a_bare_model_names_the_missing_line()
    {
        var model = SharedFiles.FindOrSkip("models/yolox_nano.onnx");
        var without = (await DetectionTool.RunAsync("detect", TestPictures.Path("tourist.webp"), "--model", model)).Expect(1);
        Assert.Contains("write \"labels\": a list of the 80 class names", without.Error, StringComparison.Ordinal);
        Assert.Contains("--names", without.Error, StringComparison.Ordinal);

        var with = (await DetectionTool.RunAsync("detect", TestPictures.Path("tourist.webp"), "--model", model, "--names", "nanodet-g")).Expect(0);
        Assert.Contains("person 0.", with.Output, StringComparison.Ordinal);

        File.WriteAllLines(_folder.Of("names.txt"), ["person", "dog"]);
        var wrong = (await DetectionTool.RunAsync("detect", TestPictures.Path("tourist.webp"), "--model", model, "--names", _folder.Of("names.txt"))).Expect(1);
        Assert.Contains("80 classes and \"labels\" has 2 names", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_shows_a_progress_bar_on_a_terminal()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no script(1) to make a terminal.");
        await using var terminal = ChildProcess.Start(
            "terminal",
            "/usr/bin/script",
            ["-qec", $"dotnet {DetectionTool.Program} detect {Path.Combine(Repository.Root, "tests", "pictures")}", "/dev/null"],
            new Dictionary<string, string?> { ["TERM"] = "xterm-256color", ["NO_COLOR"] = null, ["CI"] = null });
        await terminal.ExitAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(0, terminal.ExitCode);
        Assert.Contains('\u001b', terminal.Log);
        Assert.Contains("Detecting", terminal.Log, StringComparison.Ordinal);
        Assert.Contains("11 pictures, 0 failed", terminal.Log, StringComparison.Ordinal);
    }

    /// <summary>Mean difference of the colours in a column, in the middle third of the picture.</summary>
    private static double Difference(Picture one, Picture other, int x)
    {
        double sum = 0;
        var count = 0;
        for (var y = one.Height / 3; y < one.Height * 2 / 3; y++)
        {
            for (var channel = 0; channel < 3; channel++, count++)
            {
                var at = (y * one.Stride) + ((x + 1) * Picture.BytesPerPixel) + channel;
                sum += Math.Abs(one.Pixels[at] - other.Pixels[at]);
            }
        }

        return sum / count;
    }
}
