using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Detection.Frontend.Tests.Embedded;

/// <summary>
/// A published file whose quantisation made every score 0 is served, with a warning wherever models are listed; the same network with its scores has
/// none. Both are estimators of poses, so their outputs are cut to boxes and scores.
/// </summary>
public sealed class ZeroScoreTests : IDisposable
{
    /// <summary>A Slice of the first five rows of "Output0" [1, 56, cells], as "output0".</summary>
    private const string Cut =
        "Op0BCjIKB091dHB1dDAKB2N1dEZyb20KBWN1dFRvCgdjdXRBeGlzEgdvdXRwdXQwIgVTbGljZSoXCAEQB0IHY3V0RnJvbUoIAAAAAAAAAAAqFQgBEAdCBWN1"
        + "dFRvSggFAAAAAAAAACoXCAEQB0IHY3V0QXhpc0oIAQAAAAAAAABiHgoHb3V0cHV0MBITChEIARINCgIIAQoCCAUKAwjACg==";

    private readonly string _folder = Directory.CreateTempSubdirectory("detection-zero-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Model_that_finds_nothing_is_served_with_a_warning_beside_one_that_finds_people()
    {
        Lay("people", "yolo11n-pose_int8.onnx");
        Lay("zero", "yolo11n-pose_int8_zero-scores.onnx");
        var photo = await File.ReadAllBytesAsync(Path.Combine(SharedFiles.FindOrSkip("images/coco-person"), "000000138114.jpg"));
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            [DetectionSettings.EmbeddedPassword] = DetectionSettings.SomePassword,
            ["Detection__Embedded__RedisPort"] = LoopbackPorts.Next().ToString(CultureInfo.InvariantCulture),
            ["Detection__Embedded__PicturePort"] = LoopbackPorts.Next().ToString(CultureInfo.InvariantCulture),
            ["Detection__Models__Directory"] = _folder,
            ["Detection__Client__DefaultModel"] = "people",
        });
        await process.ReadyAsync();
        await Eventually.Async(
            async () => (string?)(await ModelAsync("zero"))?["problem"] is { } problem && problem.Contains(" finds nothing: in a known picture and in a picture of noise every score is 0. ", StringComparison.Ordinal),
            Eventually.Soon,
            "the model without scores is listed with that as its problem");

        foreach (var model in new[] { "zero", "people", "zero", "people" })
        {
            Assert.Equal(model == "people", await CountAsync(model) > 0);
        }

        Assert.Null((await ModelAsync("people"))!["problem"]);
        using var readiness = await process.Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
        Assert.True(readiness.IsSuccessStatusCode);
        Assert.Contains(" finds nothing: in a known picture", await readiness.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        async Task<JsonNode?> ModelAsync(string name)
        {
            using var answer = await process.Http.GetAsync(new Uri($"/v1/models/{name}", UriKind.Relative));
            return answer.IsSuccessStatusCode ? JsonNode.Parse(await answer.Content.ReadAsStringAsync()) : null;
        }

        async Task<int> CountAsync(string model)
        {
            using var content = new ByteArrayContent(photo) { Headers = { ContentType = new MediaTypeHeaderValue("image/jpeg") } };
            using var answer = await process.Http.PostAsync(new Uri($"/v1/detections?model={model}", UriKind.Relative), content);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, text);
            return JsonNode.Parse(text)!["boxes"]!.AsArray().Count;
        }
    }

    private void Lay(string name, string file)
    {
        var model = File.ReadAllBytes(SharedFiles.FindOrSkip($"models/tasks/{file}"));
        Rename(model, "output0"u8);
        Rename(model, "task"u8);
        File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, name)).FullName, "model.onnx"), [.. model, .. Convert.FromBase64String(Cut)]);
    }

    /// <summary>Makes the first letter of a name large, wherever the name stands.</summary>
    private static void Rename(Span<byte> model, ReadOnlySpan<byte> name)
    {
        for (var rest = model; rest.IndexOf(name) is >= 0 and var at; rest = rest[(at + name.Length)..])
        {
            rest[at] -= 'a' - 'A';
        }
    }
}
