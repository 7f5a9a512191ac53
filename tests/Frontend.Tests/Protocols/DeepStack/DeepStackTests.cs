using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Protocols.DeepStack;

public sealed class DeepStackTests(OneProcess frontend)
{
    private static readonly byte[] Photo = System.IO.File.ReadAllBytes(TestPictures.Path("astronaut.png"));

    [Fact]
    public async Task Form_is_read_with_file_and_fields_in_any_order()
    {
        var answer = await PostAsync("detection", Body(Field("api_key", "secret"), File("image", Photo), Field("min_confidence", "0.4")));

        Assert.Equal(200, answer.Status);
        Assert.True(answer.Body.GetProperty("success").GetBoolean());
        var person = Assert.Single(answer.Body.GetProperty("predictions").EnumerateArray(), p => p.GetProperty("label").GetString() == "person");
        Assert.InRange(person.GetProperty("confidence").GetSingle(), 0.4f, 1);
        var (left, top) = (person.GetProperty("x_min").GetInt32(), person.GetProperty("y_min").GetInt32());
        var (right, bottom) = (person.GetProperty("x_max").GetInt32(), person.GetProperty("y_max").GetInt32());
        Assert.InRange(left, 0, right - 100);
        Assert.InRange(top, 0, bottom - 100);
        Assert.InRange(right, 300, 512);
        Assert.Equal(answer.Body.GetProperty("predictions").GetArrayLength(), answer.Body.GetProperty("count").GetInt32());
        Assert.Contains("person", answer.Body.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Min_confidence_and_model_are_applied()
    {
        var certain = await PostAsync("detection", Body(Field("min_confidence", "1"), File("image", Photo)));
        var all = await PostAsync("custom/nanodet-g", Body(Field("min_confidence", "0.02"), File("image", Photo)));
        var none = await PostAsync("custom/nothing", Body(File("image", Photo)));

        Assert.Equal(0, certain.Body.GetProperty("predictions").GetArrayLength());
        Assert.True(all.Body.GetProperty("predictions").GetArrayLength() > 1);
        Assert.All(all.Body.GetProperty("predictions").EnumerateArray(), p => Assert.InRange(p.GetProperty("confidence").GetSingle(), 0.02f, 1));
        AssertFailure(404, none);
    }

    [Fact]
    public async Task Failures_have_the_form_of_DeepStack()
    {
        AssertFailure(400, await PostAsync("detection", Body(Field("min_confidence", "0.4"))));
        AssertFailure(400, await PostAsync("detection", Body(Field("min_confidence", "lots"), File("image", Photo))));
        AssertFailure(400, await PostAsync("detection", Body(File("image", "no picture"u8.ToArray()))));
        AssertFailure(422, await PostAsync("detection", Body(File("image", Photo[..5000]))));
        AssertFailure(415, await PostAsync("detection", new ByteArrayContent(Photo)));
        AssertFailure(400, await PostAsync("detection", Body("--other\r\n")));
    }

    private static void AssertFailure(int status, (int Status, JsonElement Body) answer)
    {
        Assert.Equal(status, answer.Status);
        Assert.False(answer.Body.GetProperty("success").GetBoolean());
        Assert.NotEmpty(answer.Body.GetProperty("error").GetString()!);
        Assert.Equal(status, answer.Body.GetProperty("code").GetInt32());
    }

    private async Task<(int Status, JsonElement Body)> PostAsync(string path, HttpContent content)
    {
        using var response = await frontend.Http.PostAsync(new Uri("/v1/vision/" + path, UriKind.Relative), content);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync()).RootElement);
    }

    // The exact bytes that Python's requests writes; most such clients use it.
    private const string Boundary = "0f0c4a7c2f0d4d6d8b1c6a5e3f2b1a09";

    private static ByteArrayContent Body(params object[] parts)
    {
        using var body = new MemoryStream();
        foreach (var part in parts)
        {
            body.Write(part as byte[] ?? Encoding.ASCII.GetBytes((string)part));
        }

        body.Write(Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"));
        var content = new ByteArrayContent(body.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", $"multipart/form-data; boundary={Boundary}");
        return content;
    }

    private static string Field(string name, string value) =>
        $"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n";

    private static byte[] File(string name, byte[] bytes) =>
    [
        .. Encoding.ASCII.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"),
        .. bytes,
        .. "\r\n"u8,
    ];
}
