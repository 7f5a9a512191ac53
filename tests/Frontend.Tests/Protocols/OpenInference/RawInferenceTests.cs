using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SkiaSharp;

namespace Detection.Frontend.Tests.Protocols.OpenInference;

/// <summary>Requests without JSON, UINT8 tensors, and requests from issues of Triton.</summary>
public sealed class RawInferenceTests(OneProcess frontend)
{
    private const string Infer = "/v2/models/nanodet-g/infer";
    private static readonly byte[] Photo = File.ReadAllBytes(TestPictures.Path("astronaut.png"));

    /// <summary>triton-inference-server/server #7741 and #4070: the bytes of a file and a header length of 0.</summary>
    [Fact]
    public async Task Body_without_json_is_the_picture_and_all_outputs_are_binary()
    {
        foreach (var body in (byte[][])[Photo, TritonConversation.Element(Photo)])
        {
            var answer = await TritonConversation.PostAsync(frontend.Process.Url, Infer, "", body);

            Assert.Equal(200, answer.Status);
            Assert.Equal(TestPictures.ImageKey(Photo), answer.Json.GetProperty("parameters").GetProperty("image_key").GetString());
            Assert.Equal(await ScoresAsync(), MemoryMarshal.Cast<byte, float>(answer.Output("scores", "FP32").Data).ToArray());
        }

        var failure = await TritonConversation.PostAsync(frontend.Process.Url, Infer, "", "no picture"u8.ToArray());
        Assert.Equal(400, failure.Status);
        Assert.NotEmpty(failure.Json.GetProperty("error").GetString()!);
    }

    /// <summary>triton-inference-server/dali_backend #135 sends the encoded picture in this form.</summary>
    [Theory]
    [InlineData("[n]")]
    [InlineData("[1,n]")]
    public async Task Encoded_picture_is_read_from_UINT8(string shape)
    {
        var answer = await PostNumbersAsync(shape.Replace("n", Photo.Length.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), Photo);

        Assert.Equal(200, answer.Status);
        Assert.Equal(await ScoresAsync(), Scores(answer));
    }

    /// <summary>triton-inference-server/server #2478 sends the pixels of a bitmap in this form.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("1,")]
    public async Task Pixels_give_the_answer_of_the_picture(string batch)
    {
        // An odd width, because rows of a bitmap are padded.
        using var whole = SKBitmap.Decode(Photo);
        using var picture = new SKBitmap(511, 509, SKColorType.Rgba8888, SKAlphaType.Opaque);
        Assert.True(whole.ExtractSubset(picture, new SKRectI(0, 0, 511, 509)));
        var pixels = picture.Pixels.SelectMany(pixel => (byte[])[pixel.Red, pixel.Green, pixel.Blue]).ToArray();
        using var png = picture.Encode(SKEncodedImageFormat.Png, 100);
        var expected = await frontend.Http.PostAsync(Asking.Bytes(png.ToArray(), "image/png")).AnswerAsync();

        var answer = await PostNumbersAsync($"[{batch}509,511,3]", pixels);

        Assert.Equal(200, answer.Status);
        Assert.Equal((511, 509), (answer.Json.GetProperty("parameters").GetProperty("image_width").GetInt32(), answer.Json.GetProperty("parameters").GetProperty("image_height").GetInt32()));
        Assert.NotEqual(0, expected.GetProperty("boxes").GetArrayLength());
        Assert.Equal(expected.GetProperty("boxes").EnumerateArray().Select(box => box.GetProperty("score").GetSingle()), Scores(answer));
    }

    [Theory]
    [InlineData("[3,2,2]")] // channels first
    [InlineData("[2,2,4]")]
    [InlineData("[2,2,1]")]
    [InlineData("[2,1,2,3]")]
    [InlineData("[4,4]")]
    [InlineData("[0]")]
    [InlineData("[-1]")]
    [InlineData("\"-1\"")] // #1649: a text where an array should be
    [InlineData("[]")]
    [InlineData("[5000000000,1]")]
    [InlineData("[2000000000,2000000000,3]")]
    public async Task Numbers_of_another_shape_are_refused_and_the_next_picture_is_answered(string shape)
    {
        var answer = await PostNumbersAsync(shape, new byte[12]);

        Assert.Equal(400, answer.Status);
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
        Assert.Equal(200, (await TritonConversation.PostAsync(frontend.Process.Url, Infer, "", Photo)).Status);
    }

    [Theory]
    [InlineData(1, 65_536)]
    [InlineData(65_536, 1)]
    [InlineData(100_000, 1)]
    public async Task Pixels_of_a_picture_that_is_too_wide_or_tall_are_refused_by_their_shape(int height, int width)
    {
        var refused = await PostNumbersAsync($"[{height},{width},3]", new byte[3 * height * width]);

        Assert.Equal(400, refused.Status);
        Assert.StartsWith($"The shape [{height},{width},3] is a picture of {width} x {height} pixels.", refused.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        var largest = await PostNumbersAsync($"[1,{Math.Min(height, 65_535)},{Math.Min(width, 65_535)},3]", new byte[3 * Math.Min(height, 65_535) * Math.Min(width, 65_535)]);
        Assert.Equal(200, largest.Status);
    }

    /// <summary>Bodies of triton-inference-server/server #4244, #1822, #5649, #2563 and #4.</summary>
    [Theory]
    [InlineData("""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"],"parameters":{"binary_data_size":16}}]}""", null, "")]
    [InlineData("""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":8}}]}""", null, "\u0004\0\0\0abcd")]
    [InlineData("""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES"}]}""", "4000000000", "")]
    [InlineData("""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES"}]}""", "187", "")]
    [InlineData("""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES"}]}""", "-5", "")]
    [InlineData("""{"inputs":[{"name":"image","shape":[2],"datatype":"UINT8","data":[255,216]}]}""", null, "")]
    [InlineData("""{"inputs":[{"name":"image","shape":[1],"datatype":"STRING","data":[{"b64":"AAAA"}]}]}""", null, "")]
    [InlineData("""{"inputs":[{"name":"input0","shape":[2,2],"datatype":"UINT32","data":[1,2,3,4]}]}""", null, "")]
    public async Task Requests_that_broke_other_servers_are_refused_in_the_form_of_the_protocol(string json, string? headerLength, string binary)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Infer, UriKind.Relative)) { Content = new ByteArrayContent(System.Text.Encoding.Latin1.GetBytes(json + binary)) };
        if (headerLength is not null)
        {
            request.Headers.TryAddWithoutValidation("Inference-Header-Content-Length", headerLength);
        }

        using var response = await frontend.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();

        Assert.True((int)response.StatusCode == 400, text);
        Assert.NotEmpty(JsonDocument.Parse(text).RootElement.GetProperty("error").GetString()!);
        Assert.Equal(200, (await TritonConversation.PostAsync(frontend.Process.Url, Infer, "", Photo)).Status);
    }

    private static float[] Scores(TritonAnswer answer) => MemoryMarshal.Cast<byte, float>(answer.Output("scores", "FP32").Data).ToArray();

    private Task<TritonAnswer> PostNumbersAsync(string shape, byte[] numbers) => TritonConversation.PostAsync(
        frontend.Process.Url,
        Infer,
        string.Create(CultureInfo.InvariantCulture, $$$"""{"inputs":[{"name":"image","shape":{{{shape}}},"datatype":"UINT8","parameters":{"binary_data_size":{{{numbers.Length}}}}}],"parameters":{"binary_data_output":true}}"""),
        numbers);

    private async Task<float[]> ScoresAsync() =>
        [.. (await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png")).AnswerAsync()).GetProperty("boxes").EnumerateArray().Select(box => box.GetProperty("score").GetSingle())];
}
