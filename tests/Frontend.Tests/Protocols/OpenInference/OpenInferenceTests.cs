using System.Buffers.Binary;
using System.Globalization;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Protocols.OpenInference;

public sealed class OpenInferenceTests(OneProcess frontend)
{
    private const string Infer = "/v2/models/nanodet-g/infer";
    private static readonly string[] Sides = ["x1", "y1", "x2", "y2"];
    private static readonly byte[] Photo = File.ReadAllBytes(TestPictures.Path("astronaut.png"));

    [Fact]
    public async Task Triton_python_client_gets_binary_outputs_for_a_binary_input()
    {
        var expected = await ExpectedAsync();
        var element = TritonConversation.Element(Photo);
        var json = string.Create(
            CultureInfo.InvariantCulture,
            $$$"""{"id":"7","inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":{{{element.Length}}}}}],"parameters":{"timeout":20000000,"binary_data_output":true,"threshold":0.02}}""");

        var answer = await TritonConversation.PostAsync(frontend.Process.Url, Infer, json, element);

        Assert.Equal(200, answer.Status);
        Assert.NotNull(answer.HeaderLength);
        Assert.Equal("7", answer.Json.GetProperty("id").GetString());
        Assert.Equal("nanodet-g", answer.Json.GetProperty("model_name").GetString());
        Assert.Equal(TestPictures.ImageKey(Photo), answer.Json.GetProperty("parameters").GetProperty("image_key").GetString());
        var count = expected.Count;
        Assert.True(count > 1);
        var (shape, boxes) = answer.Output("boxes", "FP32");
        Assert.Equal([count, 4], shape);
        Assert.Equal(expected.SelectMany(b => Sides.Select(side => b.GetProperty(side).GetSingle())), MemoryMarshal.Cast<byte, float>(boxes).ToArray());
        var (scoresShape, scores) = answer.Output("scores", "FP32");
        Assert.Equal([count], scoresShape);
        Assert.Equal(expected.Select(b => b.GetProperty("score").GetSingle()), MemoryMarshal.Cast<byte, float>(scores).ToArray());
        var (idsShape, ids) = answer.Output("class_ids", "INT32");
        Assert.Equal([count], idsShape);
        Assert.Equal(expected.Select(b => b.GetProperty("classId").GetInt32()), MemoryMarshal.Cast<byte, int>(ids).ToArray());
        var (labelsShape, labels) = answer.Output("labels", "BYTES");
        Assert.Equal([count], labelsShape);
        Assert.Equal(expected.Select(b => b.GetProperty("label").GetString()), Strings(labels));
        Assert.Equal(answer.Binary.Length, boxes.Length + scores.Length + ids.Length + labels.Length);
    }

    [Fact]
    public async Task Requested_outputs_are_returned_in_the_requested_form()
    {
        var expected = await ExpectedAsync();
        var element = TritonConversation.Element(Photo);
        var version = (await frontend.Http.ReadAsync("/v2/models/nanodet-g").AnswerAsync()).GetProperty("versions")[0].GetString();
        var json = string.Create(
            CultureInfo.InvariantCulture,
            $$$"""{"inputs":[{"name":"image","shape":[1,1],"datatype":"BYTES","parameters":{"binary_data_size":{{{element.Length}}}}}],"outputs":[{"name":"labels","parameters":{"binary_data":false}},{"name":"scores","parameters":{"binary_data":true}}],"parameters":{"threshold":0.02}}""");

        var answer = await TritonConversation.PostAsync(frontend.Process.Url, $"/v2/models/nanodet-g/versions/{version}/infer", json, element);

        Assert.Equal(200, answer.Status);
        Assert.Equal(["labels", "scores"], answer.Json.GetProperty("outputs").EnumerateArray().Select(o => o.GetProperty("name").GetString()));
        Assert.Equal(
            expected.Select(b => b.GetProperty("label").GetString()),
            answer.Json.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(d => d.GetString()));
        Assert.Equal(expected.Select(b => b.GetProperty("score").GetSingle()), MemoryMarshal.Cast<byte, float>(answer.Binary).ToArray());
        Assert.Equal(version, answer.Json.GetProperty("model_version").GetString());
    }

    [Fact]
    public async Task Json_without_binary_data_is_answered_in_json()
    {
        var expected = await ExpectedAsync();
        var base64 = Convert.ToBase64String(Photo).Replace("/", "\\/", StringComparison.Ordinal);
        var body = $$"""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["{{base64}}"]}],"parameters":{"threshold":0.02},"outputs":[{"name":"boxes"},{"name":"class_ids"}]}""";

        using var response = await frontend.Http.PostAsync(new Uri(Infer, UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.False(response.Headers.Contains("Inference-Header-Content-Length"));
        var outputs = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("outputs");
        Assert.Equal([expected.Count, 4], outputs[0].GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()));
        Assert.Equal(4 * expected.Count, outputs[0].GetProperty("data").GetArrayLength());
        Assert.Equal(expected.Select(b => b.GetProperty("classId").GetInt32()), outputs[1].GetProperty("data").EnumerateArray().Select(d => d.GetInt32()));
    }

    [Fact]
    public async Task Server_and_model_metadata_are_returned()
    {
        var server = await frontend.Http.ReadAsync("/v2").AnswerAsync();
        Assert.Contains("binary_tensor_data", server.GetProperty("extensions").EnumerateArray().Select(e => e.GetString()));
        Assert.True((await frontend.Http.ReadAsync("/v2/health/live").AnswerAsync()).GetProperty("live").GetBoolean());
        Assert.True((await frontend.Http.ReadAsync("/v2/health/ready").AnswerAsync()).GetProperty("ready").GetBoolean());
        var model = await frontend.Http.ReadAsync("/v2/models/nanodet-g").AnswerAsync();
        Assert.Equal(["boxes", "scores", "class_ids", "labels"], model.GetProperty("outputs").EnumerateArray().Select(o => o.GetProperty("name").GetString()));
        Assert.Equal("BYTES", Assert.Single(model.GetProperty("inputs").EnumerateArray()).GetProperty("datatype").GetString());
        var version = Assert.Single(model.GetProperty("versions").EnumerateArray()).GetString();
        Assert.Equal(model.GetRawText(), (await frontend.Http.ReadAsync($"/v2/models/nanodet-g/versions/{version}").AnswerAsync()).GetRawText());
        Assert.True((await frontend.Http.ReadAsync("/v2/models/nanodet-g/ready").AnswerAsync()).GetProperty("ready").GetBoolean());
        await frontend.Http.ReadAsync($"/v2/models/nanodet-g/versions/{version}/ready").AnswerAsync();
        await AssertErrorAsync(frontend.Http.ReadAsync("/v2/models/nanodet-g/versions/1/ready"), 404);
        await AssertErrorAsync(frontend.Http.ReadAsync("/v2/models/none"), 404);
        await AssertErrorAsync(frontend.Http.ReadAsync("/v2/models/none/ready"), 404);
    }

    public static TheoryData<string> NotRequests =>
    [
        "",
        "no json",
        "[]",
        "{}",
        """{"inputs":[]}""",
        """{"inputs":{}}""",
        """{"inputs":[{"name":"other","shape":[1],"datatype":"BYTES","data":["AAAA"]}]}""",
        """{"inputs":[{"name":"image","shape":[2],"datatype":"BYTES","data":["AAAA","AAAA"]}]}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"FP32","data":[1]}]}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":[1]}]}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["!"]}]}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES"}]}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}}]}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"]}],"outputs":[{"name":"masks"}]}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"]}],"parameters":{"threshold":2}}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"]}],"parameters":{"timeout":"soon"}}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"]}],"parameters":{"timeout":9223372036854775807}}""",
        """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"]}]}""",
        """{"id":"\ud800","inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"]}]}""",
    ];

    [Theory]
    [MemberData(nameof(NotRequests))]
    public async Task Invalid_request_is_an_error_in_the_form_of_the_protocol(string body) =>
        await AssertErrorAsync(frontend.Http.PostAsync(new Uri(Infer, UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json")), 400);

    [Fact]
    public async Task Values_without_number_are_refused_before_memory_is_taken_for_them()
    {
        var many = string.Join(',', Enumerable.Repeat('1', 1000));
        var body = $$"""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["{{Convert.ToBase64String(Photo)}}"]}],"other":[{{many}}]}""";

        await AssertErrorAsync(frontend.Http.PostAsync(new Uri(Infer, UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json")), 400);
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(4, 9)]
    [InlineData(4, 11)]
    [InlineData(100_000, 10)]
    public async Task Binary_data_with_inconsistent_lengths_is_refused(int size, int length)
    {
        byte[] element = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6];
        BinaryPrimitives.WriteInt32LittleEndian(element, length - 4);
        var json = string.Create(
            CultureInfo.InvariantCulture,
            $$$"""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":{{{(size == 4 ? 10 : size)}}}}}]}""");

        var answer = await TritonConversation.PostAsync(frontend.Process.Url, Infer, json, element);

        Assert.Equal(400, answer.Status);
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
    }

    private static async Task AssertErrorAsync(Task<HttpResponseMessage> asking, int status)
    {
        using var response = await asking;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {text}");
        Assert.NotEmpty(JsonDocument.Parse(text).RootElement.GetProperty("error").GetString()!);
    }

    private static IEnumerable<string> Strings(byte[] data)
    {
        for (var start = 0; start < data.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(start));
            yield return Encoding.UTF8.GetString(data, start + 4, length);
            start += 4 + length;
        }
    }

    private async Task<List<JsonElement>> ExpectedAsync()
    {
        var answer = await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png"), "?threshold=0.02").AnswerAsync();
        return [.. answer.GetProperty("boxes").EnumerateArray()];
    }
}
