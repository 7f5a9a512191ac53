using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Http.Uploads;

public sealed class UploadTests(OneProcess frontend)
{
    // Every model finds a person in it; the tests in Inference.Tests check this.
    private static readonly byte[] Photo = File.ReadAllBytes(TestPictures.Path("astronaut.png"));

    public static TheoryData<string> Forms =>
        ["image/png", "application/octet-stream", "no content type", "chunked", "form", "json", "data url", "escaped json"];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Every_form_of_a_picture_gives_the_same_answer(string form)
    {
        var base64 = Convert.ToBase64String(Photo);
        HttpContent content = form switch
        {
            "no content type" => new ByteArrayContent(Photo),
            "chunked" => Chunked(Photo),
            "form" => Asking.Form(Photo),
            "json" => JsonContent.Create(new { image = base64 }),
            "data url" => Json($$"""{"labels":["person"],"image":"data:image/png;base64,{{base64}}"}"""),
            "escaped json" => Json($$"""{"image":"{{base64.Replace("/", "\\/", StringComparison.Ordinal).Replace("+", "\\u002b", StringComparison.Ordinal)}}"}"""),
            _ => Asking.Bytes(Photo, form),
        };

        var answer = await frontend.Http.PostAsync(content).AnswerAsync();

        Assert.Equal(TestPictures.ImageKey(Photo), answer.GetProperty("imageKey").GetString());
        Assert.Equal(512, answer.GetProperty("width").GetInt32());
        Assert.Equal(512, answer.GetProperty("height").GetInt32());
        var best = answer.GetProperty("boxes")[0];
        Assert.Equal("person", best.GetProperty("label").GetString());
        Assert.Equal(0, best.GetProperty("classId").GetInt32());
        Assert.InRange(best.GetProperty("score").GetSingle(), answer.GetProperty("threshold").GetSingle(), 1);
        Assert.InRange(best.GetProperty("x2").GetSingle(), best.GetProperty("x1").GetSingle(), 512);
        Assert.InRange(best.GetProperty("y2").GetSingle(), best.GetProperty("y1").GetSingle(), 512);
    }

    [Fact]
    public async Task Url_is_fetched()
    {
        var photo = TestPictures.Unique(701);
        var url = frontend.Pictures.Url("701.jpg", photo);

        var answer = await frontend.Http.PostAsync(JsonContent.Create(new { url })).AnswerAsync();

        Assert.Equal(TestPictures.ImageKey(photo), answer.GetProperty("imageKey").GetString());
    }

    [Fact]
    public async Task Second_request_is_a_cache_hit()
    {
        var photo = TestPictures.Unique(702);
        using var first = await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg"));
        using var second = await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg"));

        Assert.Equal("miss", Assert.Single(first.Headers.GetValues("X-Cache")));
        Assert.Equal("hit", Assert.Single(second.Headers.GetValues("X-Cache")));
        Assert.Matches(@"^queue;dur=[\d.]+, decode;dur=[\d.]+, preprocess;dur=[\d.]+, inference;dur=[\d.]+, postprocess;dur=[\d.]+, total;dur=[\d.]+$",
            Assert.Single(first.Headers.GetValues("Server-Timing")));
        Assert.Matches(@"^total;dur=[\d.]+$", Assert.Single(second.Headers.GetValues("Server-Timing")));
        var (a, b) = (await first.Content.ReadFromJsonAsync<JsonElement>(), await second.Content.ReadFromJsonAsync<JsonElement>());
        Assert.Equal(("computed", false), (a.GetProperty("source").GetString(), a.GetProperty("cached").GetBoolean()));
        Assert.Equal(("cached", true), (b.GetProperty("source").GetString(), b.GetProperty("cached").GetBoolean()));
        Assert.Equal(a.GetProperty("boxes").GetRawText(), b.GetProperty("boxes").GetRawText());
        Assert.True(a.GetProperty("timings").GetProperty("inference").GetDouble() > 0);
        Assert.True(a.GetProperty("timings").GetProperty("total").GetDouble() > 0);
        Assert.InRange(a.GetProperty("timings").GetProperty("batchSize").GetInt32(), 1, 32);
    }

    [Fact]
    public async Task Query_filters_the_answer()
    {
        var all = await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png"), "?threshold=0.07&iou=0.9").AnswerAsync();
        var one = await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png"), "?threshold=0.07&iou=0.9&max=1").AnswerAsync();
        var none = await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png"), "?threshold=1").AnswerAsync();
        var persons = await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png"), "?threshold=0.07&labels=PERSON,%20cat").AnswerAsync();

        Assert.True(all.GetProperty("boxes").GetArrayLength() > 1);
        Assert.Equal(0.07f, all.GetProperty("threshold").GetSingle());
        Assert.Equal(1, one.GetProperty("boxes").GetArrayLength());
        Assert.Equal(0, none.GetProperty("boxes").GetArrayLength());
        Assert.All(persons.GetProperty("boxes").EnumerateArray(), box => Assert.True(box.GetProperty("label").GetString() is "person" or "cat"));
        Assert.NotEqual(0, persons.GetProperty("boxes").GetArrayLength());
    }

    [Fact]
    public async Task Picture_of_the_maximum_size_is_read_and_one_byte_more_is_refused()
    {
        // A JPEG may have any bytes after its end.
        const int Limit = 20 * 1024 * 1024;
        var photo = TestPictures.Unique(703);
        var padded = new byte[Limit];
        photo.CopyTo(padded, 0);
        var answer = await frontend.Http.PostAsync(JsonContent.Create(new { image = Convert.ToBase64String(padded) }), "?timeout=30").AnswerAsync();
        Assert.Equal(TestPictures.ImageKey(padded), answer.GetProperty("imageKey").GetString());

        await frontend.Http.PostAsync(Asking.Bytes(new byte[Limit + 1], "image/jpeg")).ProblemAsync(413, "picture-too-large");
        await frontend.Http.PostAsync(Chunked(new byte[Limit + 1])).ProblemAsync(413, "picture-too-large");
        await frontend.Http.PostAsync(Asking.Form(new byte[Limit + 1])).ProblemAsync(413, "picture-too-large");
        await frontend.Http.PostAsync(JsonContent.Create(new { image = Convert.ToBase64String(new byte[Limit + 1]) })).ProblemAsync(413, "picture-too-large");
        await frontend.Http.PostAsync(Asking.Bytes(new byte[2 * Limit], "image/jpeg")).ProblemAsync(413, "picture-too-large");
    }

    [Fact]
    public async Task Annotated_picture_shows_the_boxes()
    {
        using var annotated = await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png"), accept: "image/jpeg, application/json;q=0.5");
        using var plain = await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png"), "?threshold=1", accept: "image/jpeg");
        using var again = await frontend.Http.ReadAsync($"/v1/detections/{TestPictures.ImageKey(Photo)}/image");

        Assert.Equal(HttpStatusCode.OK, annotated.StatusCode);
        Assert.Equal("image/jpeg", annotated.Content.Headers.ContentType?.MediaType);
        Assert.Equal("Accept", Assert.Single(annotated.Headers.Vary));
        Assert.NotEmpty(annotated.Headers.GetValues("X-Cache"));
        var bytes = await annotated.Content.ReadAsByteArrayAsync();
        using var with = SkiaSharp.SKBitmap.Decode(bytes);
        using var without = SkiaSharp.SKBitmap.Decode(await plain.Content.ReadAsByteArrayAsync());
        Assert.Equal((512, 512), (with.Width, with.Height));
        var differing = 0;
        for (var y = 0; y < 512; y++)
        {
            for (var x = 0; x < 512; x++)
            {
                var (a, b) = (with.GetPixel(x, y), without.GetPixel(x, y));
                differing += Math.Abs(a.Red - b.Red) + Math.Abs(a.Green - b.Green) + Math.Abs(a.Blue - b.Blue) > 60 ? 1 : 0;
            }
        }

        // At least the edges of a box, and not the whole picture.
        Assert.InRange(differing, 500, 100_000);
        Assert.Equal(bytes, await again.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("*/*")]
    [InlineData("application/json, image/jpeg")]
    [InlineData("text/html, image/jpeg;q=0.1, application/*")]
    public async Task Json_is_returned_unless_jpeg_is_preferred(string accept) =>
        await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png"), accept: accept).AnswerAsync();

    [Fact]
    public async Task Answer_is_read_again_by_its_image_key()
    {
        var photo = TestPictures.Unique(704);
        var posted = await frontend.Http.PostAsync(Asking.Form(photo)).AnswerAsync();
        var key = posted.GetProperty("imageKey").GetString();

        var read = await frontend.Http.ReadAsync($"/v1/detections/{key}").AnswerAsync();
        var nothing = await frontend.Http.ReadAsync($"/v1/detections/{key}?threshold=1").AnswerAsync();

        Assert.Equal(posted.GetProperty("boxes").GetRawText(), read.GetProperty("boxes").GetRawText());
        Assert.True(read.GetProperty("cached").GetBoolean());
        Assert.Equal(0, nothing.GetProperty("boxes").GetArrayLength());
        var gone = new string('0', 64);
        var problem = await frontend.Http.ReadAsync($"/v1/detections/{gone}").ProblemAsync(404, "result-not-found");
        Assert.Equal(gone, problem.GetProperty("imageKey").GetString());
        await frontend.Http.ReadAsync($"/v1/detections/{gone}/image").ProblemAsync(404, "result-not-found");
        await frontend.Http.ReadAsync("/v1/detections/short").ProblemAsync(404, "result-not-found");
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    /// <summary>A body without an announced length.</summary>
    private static StreamContent Chunked(byte[] bytes)
    {
        var content = new StreamContent(new UnknownLength(bytes));
        content.Headers.ContentType = new("image/jpeg");
        return content;
    }

    private sealed class UnknownLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
