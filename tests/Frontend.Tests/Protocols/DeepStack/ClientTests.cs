using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Protocols.DeepStack;

/// <summary>Requests in the form of published clients of DeepStack and CodeProject.AI, and the fields that they read from the answers.</summary>
public sealed class ClientTests(OneProcess frontend)
{
    private static readonly byte[] Photo = File.ReadAllBytes(TestPictures.Path("astronaut.png"));

    /// <summary>Frigate (frigate/detectors/plugins/deepstack.py): one file, no fields. Its table has twenty rows; more cause an exception.</summary>
    [Fact]
    public async Task Frigate()
    {
        var answer = await PostAsync("/v1/vision/detection?max=20&min_confidence=0.02", Requests(("image", null)));

        var predictions = answer.GetProperty("predictions");
        Assert.InRange(predictions.GetArrayLength(), 2, 20);
        var before = 1f;
        foreach (var prediction in predictions.EnumerateArray())
        {
            // Frigate stops at the first row below 0.4, so the best rows must come first.
            var confidence = prediction.GetProperty("confidence").GetSingle();
            Assert.InRange(confidence, 0.02f, before);
            before = confidence;
            foreach (var side in (string[])["x_min", "y_min", "x_max", "y_max"])
            {
                Assert.InRange(prediction.GetProperty(side).GetInt32(), 0, 512);
            }
        }

        Assert.Equal(1, (await PostAsync("/v1/vision/detection?max=1&min_confidence=0.02", Requests(("image", null)))).GetProperty("predictions").GetArrayLength());
    }

    /// <summary>Home Assistant (robmarkcole/HASS-Deepstack-object with deepstack-python): an empty key before the file, a custom model.</summary>
    [Fact]
    public async Task Home_Assistant_with_DeepStack()
    {
        AssertPerson(await PostAsync("/v1/vision/detection", Requests(("api_key", ""), ("image", null))));
        AssertPerson(await PostAsync("/v1/vision/custom/nanodet-g", Requests(("api_key", ""), ("image", null))));
    }

    /// <summary>Home Assistant and Viseron with codeprojectai-python: the confidence before the file.</summary>
    [Fact]
    public async Task Viseron_and_Home_Assistant_with_CodeProject_AI()
    {
        var answer = await PostAsync("/v1/vision/detection", Requests(("min_confidence", "0.45"), ("image", null)));

        AssertPerson(answer);
        Assert.All(answer.GetProperty("predictions").EnumerateArray(), prediction => Assert.InRange(prediction.GetProperty("confidence").GetSingle(), 0.45f, 1));
    }

    /// <summary>SynoAI (SynoAI/AIs/DeepStack/DeepStackAI.cs) writes its confidence in the number format of its country.</summary>
    [Theory]
    [InlineData(",")]
    [InlineData(".")]
    public async Task SynoAI(string separator)
    {
        var form = new MultipartFormDataContent
        {
            { new StreamContent(new MemoryStream(Photo)), "image", "image" },
            { new StringContent((45 / 100m).ToString(new NumberFormatInfo { NumberDecimalSeparator = separator })), "min_confidence" },
        };

        AssertPerson(await PostAsync("/v1/vision/detection", form));
    }

    /// <summary>Agent DVR (its guide to AI servers): joins the address of the server and the endpoint of the model; reads the models from the server.</summary>
    [Fact]
    public async Task Agent_DVR()
    {
        var models = await PostAsync("//v1/vision/custom/list", null);
        var name = models.GetProperty("models")[0].GetString();
        var form = Requests(("image", null), ("min_confidence", "0.4"));

        AssertPerson(await PostAsync("//v1/vision/detection", form));
        Assert.True((await PostAsync($"//v1/vision/custom/{name}", Requests(("image", null)))).GetProperty("success").GetBoolean());
    }

    /// <summary>Blue Iris, as described by servers written for it (xnorpx/blue-onyx): the list with an empty body, then one request for each model.</summary>
    [Fact]
    public async Task Blue_Iris()
    {
        using var ping = await frontend.Http.ReadAsync("/v1/status/ping");
        Assert.True(JsonDocument.Parse(await ping.Content.ReadAsStringAsync()).RootElement.GetProperty("success").GetBoolean());
        var models = await PostAsync("/v1/vision/custom/list", new ByteArrayContent([]));
        Assert.Contains("nanodet-g", models.GetProperty("models").EnumerateArray().Select(model => model.GetString()));

        var answer = await PostAsync("/v1/vision/custom/nanodet-g", Requests(("image", null), ("min_confidence", "0.40")));

        AssertPerson(answer);
        foreach (var name in (string[])["message", "count", "inferenceMs", "processMs", "code"])
        {
            Assert.True(answer.TryGetProperty(name, out _), name);
        }
    }

    [Theory]
    [InlineData("45", 0.45)]
    [InlineData("45%", 0.45)]
    [InlineData("0,45", 0.45)]
    [InlineData(" 0.45 ", 0.45)]
    [InlineData("2", 0.02)]
    [InlineData("1", 1.0)]
    [InlineData("100", 1.0)]
    [InlineData("101", null)]
    [InlineData("-1", null)]
    [InlineData("0.4.5", null)]
    [InlineData("NaN", null)]
    public async Task Min_confidence_is_a_fraction_or_percent(string text, double? least)
    {
        using var response = await frontend.Http.PostAsync(new Uri("/v1/vision/detection", UriKind.Relative), Requests(("min_confidence", text), ("image", null)));
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        if (least is null)
        {
            Assert.Equal(400, answer.GetProperty("code").GetInt32());
            Assert.Contains($"'{text}'", answer.GetProperty("error").GetString(), StringComparison.Ordinal);
        }
        else
        {
            var expected = await frontend.Http.PostAsync(
                Asking.Bytes(Photo, "image/png"), string.Create(CultureInfo.InvariantCulture, $"?threshold={least}")).AnswerAsync();
            Assert.Equal(expected.GetProperty("boxes").GetArrayLength(), answer.GetProperty("predictions").GetArrayLength());
        }

        AssertPerson(await PostAsync("/v1/vision/detection", Requests(("image", null))));
    }

    [Fact]
    public async Task Rows_are_filtered_by_labels_and_max()
    {
        var all = await PostAsync("/v1/vision/detection", Requests(("min_confidence", "0.02"), ("image", null)));
        var persons = await PostAsync("/v1/vision/detection", Requests(("min_confidence", "0.02"), ("labels", "PERSON, spaceship"), ("image", null)));
        var one = await PostAsync("/v1/vision/detection?labels=person", Requests(("min_confidence", "0.02"), ("max", "1"), ("image", null)));
        var none = await PostAsync("/v1/vision/detection", Requests(("labels", "spaceship"), ("image", null)));

        var expected = all.GetProperty("predictions").EnumerateArray().Where(prediction => prediction.GetProperty("label").GetString() == "person").Select(prediction => prediction.GetRawText()).ToList();
        Assert.NotEmpty(expected);
        Assert.Equal(expected, persons.GetProperty("predictions").EnumerateArray().Select(prediction => prediction.GetRawText()));
        Assert.Equal(expected[..1], one.GetProperty("predictions").EnumerateArray().Select(prediction => prediction.GetRawText()));
        Assert.Equal(1, one.GetProperty("count").GetInt32());
        Assert.Equal(0, none.GetProperty("count").GetInt32());
        foreach (var max in (string[])["0", "x", "-1", "1,5"])
        {
            using var refused = await frontend.Http.PostAsync(new Uri("/v1/vision/detection", UriKind.Relative), Requests(("max", max), ("image", null)));
            Assert.Equal(400, (int)refused.StatusCode);
        }
    }

    private static void AssertPerson(JsonElement answer)
    {
        Assert.True(answer.GetProperty("success").GetBoolean(), answer.ToString());
        Assert.Contains(answer.GetProperty("predictions").EnumerateArray(), prediction => prediction.GetProperty("label").GetString() == "person");
    }

    private async Task<JsonElement> PostAsync(string path, HttpContent? content)
    {
        using var response = await frontend.Http.PostAsync(new Uri(frontend.Process.Url.ToString().TrimEnd('/') + path), content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>A form in the format of Python's requests; the field without a text is the picture.</summary>
    private static ByteArrayContent Requests(params (string Name, string? Text)[] fields)
    {
        const string Boundary = "7c1f0e5a9b2d4c6e8f1a3b5c7d9e0f12";
        using var body = new MemoryStream();
        foreach (var (name, text) in fields)
        {
            var file = text is null ? $"; filename=\"{name}\"" : "";
            body.Write(Encoding.ASCII.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n"));
            body.Write(text is null ? Photo : Encoding.UTF8.GetBytes(text));
            body.Write("\r\n"u8);
        }

        body.Write(Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"));
        var content = new ByteArrayContent(body.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/form-data; boundary={Boundary}");
        return content;
    }
}
