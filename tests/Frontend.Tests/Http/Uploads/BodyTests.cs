using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Http.Uploads;

/// <summary>Bodies in the forms of scripts, browsers, mail programs and proxies.</summary>
public sealed class BodyTests(OneProcess frontend)
{
    private static readonly byte[] Photo = File.ReadAllBytes(TestPictures.Path("astronaut.png"));
    private static readonly string Base64 = Convert.ToBase64String(Photo);

    public static TheoryData<string> Texts =>
    [
        "padded", "unpadded", "urls", "urls unpadded", "lines", "tabs", "escaped tabs", "DATA:", "mark", "escaped mark", "mark and DATA:", "spaces around",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task Base64_is_read_in_all_forms_of_encoders(string form)
    {
        // All lengths of the last group, with and without padding.
        for (var more = 0; more < 3; more++)
        {
            byte[] picture = [.. Photo, .. new byte[more]];
            var base64 = Convert.ToBase64String(picture);
            var urls = base64.Replace('+', '-').Replace('/', '_');
            var text = form switch
            {
                "unpadded" => base64.TrimEnd('='),
                "urls" => urls,
                "urls unpadded" => urls.TrimEnd('='),
                "lines" => string.Join("\\r\\n", base64.Chunk(76).Select(line => new string(line))) + "\\r\\n",
                "tabs" => base64.Insert(3, " ").Insert(50, "  "),
                "escaped tabs" => string.Join("\\t", base64.Chunk(1000).Select(line => new string(line))),
                "DATA:" => "DATA:image/png;BASE64," + base64,
                "mark" => "\ufeff" + base64,
                "escaped mark" => "\\uFEFF" + base64,
                "mark and DATA:" => "\ufeff Data:;base64," + urls.TrimEnd('='),
                "spaces around" => "  " + base64 + "  ",
                _ => base64,
            };

            var answer = await frontend.Http.PostAsync(Json($$"""{"image":"{{text}}"}""")).AnswerAsync();

            Assert.Equal(TestPictures.ImageKey(picture), answer.GetProperty("imageKey").GetString());
        }
    }

    [Theory]
    [InlineData("AAAA*AAA")]
    [InlineData("A")]
    [InlineData("AAA%3D")]
    [InlineData("AA%%")]
    [InlineData("AA==AA==")]
    [InlineData("data:image/png;base64")]
    public async Task Invalid_base64_is_refused_and_the_next_picture_is_read(string text)
    {
        var problem = await frontend.Http.PostAsync(Json($$"""{"image":"{{text}}"}""")).ProblemAsync(400, "invalid-request");

        Assert.Equal("The 'image' is not valid base64.", problem.GetProperty("detail").GetString());
        await frontend.Http.PostAsync(Json($$"""{"image":"{{Base64}}"}""")).AnswerAsync();
    }

    [Fact]
    public async Task Body_without_content_type_is_read_by_its_content()
    {
        byte[] mark = [0xEF, 0xBB, 0xBF];
        foreach (var body in (byte[][])
        [
            Photo,
            Encoding.UTF8.GetBytes($$"""{"image":"{{Base64}}"}"""),
            [.. mark, .. Encoding.UTF8.GetBytes($$"""   {"image":"{{Base64}}"}""")],
            Encoding.UTF8.GetBytes($"Data:image/png;base64,{Base64}\r\n"),
        ])
        {
            var answer = await frontend.Http.PostAsync(new ByteArrayContent(body)).AnswerAsync();
            Assert.Equal(TestPictures.ImageKey(Photo), answer.GetProperty("imageKey").GetString());
        }

        await frontend.Http.PostAsync(new ByteArrayContent("no picture"u8.ToArray())).ProblemAsync(400, "not-a-picture");
        await frontend.Http.PostAsync(new ByteArrayContent("{\"image\":"u8.ToArray())).ProblemAsync(400, "invalid-request");
        var form = await frontend.Http.PostAsync(new ByteArrayContent("--x\r\nContent-Disposition: form-data"u8.ToArray())).ProblemAsync(415, "unsupported-media-type");
        Assert.Contains("multipart/form-data", form.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var marked = new ByteArrayContent([.. mark, .. Encoding.UTF8.GetBytes($$"""{"image":"{{Base64}}"}""")]);
        marked.Headers.TryAddWithoutValidation("Content-Type", "application/json; charset=utf-8");
        await frontend.Http.PostAsync(marked).AnswerAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("X-GZIP")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("identity")]
    public async Task Compressed_body_is_read_in_every_form(string encoding)
    {
        var expected = TestPictures.ImageKey(Photo);
        HttpContent[] contents =
        [
            Asking.Bytes(Photo, "image/png"), Json($$"""{"image":"{{Base64}}"}"""), Asking.Form(Photo), new ByteArrayContent(Photo),
        ];
        foreach (var content in contents)
        {
            var answer = await frontend.Http.PostAsync(await CompressedAsync(content, encoding)).AnswerAsync();
            Assert.Equal(expected, answer.GetProperty("imageKey").GetString());
        }

        using var batch = await frontend.Http.PostAsync(
            new Uri("/v1/detections/batch", UriKind.Relative),
            await CompressedAsync(new StringContent($$"""{"image":"{{Base64}}"}""", Encoding.UTF8, "application/x-ndjson"), encoding));
        Assert.Contains(expected, await batch.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var deepStack = await frontend.Http.PostAsync(new Uri("/v1/vision/detection", UriKind.Relative), await CompressedAsync(Asking.Form(Photo), encoding));
        Assert.Equal(HttpStatusCode.OK, deepStack.StatusCode);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task Body_with_wrong_compression_or_too_many_decompressed_bytes_is_refused(string encoding)
    {
        var lie = Asking.Bytes(Photo, "image/png");
        lie.Headers.ContentEncoding.Add(encoding);
        var problem = await frontend.Http.PostAsync(lie).ProblemAsync(400, "invalid-request");
        Assert.Contains($"not valid {encoding}", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // A gigabyte of zeros, compressed to ten kilobytes or a megabyte. The memory of the process must not grow by it.
        var bomb = await BombAsync(encoding);
        var before = ProcessMeasures.PeakBytes(frontend.Process.Process.Id);
        foreach (var type in (string?[])["image/png", "application/json", "multipart/form-data; boundary=x", null])
        {
            var content = new ByteArrayContent(bomb);
            content.Headers.ContentEncoding.Add(encoding);
            if (type is not null)
            {
                content.Headers.TryAddWithoutValidation("Content-Type", type);
            }

            using var answer = await frontend.Http.PostAsync(content);
            Assert.True(answer.StatusCode is HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.BadRequest, await answer.Content.ReadAsStringAsync());
        }

        // The kernel counts per thread and adds up late, so that even the highest value may be a little lower afterwards.
        Assert.InRange(ProcessMeasures.PeakBytes(frontend.Process.Process.Id) - before, -(16L << 20), 512L << 20);
        var good = await frontend.Http.PostAsync(await CompressedAsync(Asking.Bytes(Photo, "image/png"), encoding)).AnswerAsync();
        Assert.Equal(TestPictures.ImageKey(Photo), good.GetProperty("imageKey").GetString());
    }

    [Theory]
    [InlineData("gzip", 8)]
    [InlineData("gzip", 1)]
    [InlineData("gzip", 10_000)]
    [InlineData("deflate", 4)]
    [InlineData("deflate", 10_000)]
    [InlineData("br", 1)]
    [InlineData("br", 10_000)]
    public async Task Compressed_body_that_ends_early_is_refused_in_every_form(string encoding, int missing)
    {
        HttpContent[] contents = [Asking.Bytes(Photo, "image/png"), Json($$"""{"image":"{{Base64}}"}"""), Asking.Form(Photo), new ByteArrayContent(Photo)];
        foreach (var content in contents)
        {
            var whole = await CompressedAsync(content, encoding);
            var bytes = await whole.ReadAsByteArrayAsync();
            var cut = new ByteArrayContent(bytes[..^missing]);
            cut.Headers.ContentType = content.Headers.ContentType;
            cut.Headers.ContentEncoding.Add(encoding);

            var problem = await frontend.Http.PostAsync(cut).ProblemAsync(400, "invalid-request");

            Assert.Contains($"ends before the end of its {encoding} data", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
            await frontend.Http.PostAsync(whole).AnswerAsync();
        }
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("compress")]
    [InlineData("gzip, br")]
    [InlineData("aws-chunked")]
    public async Task Unsupported_encoding_is_refused_by_name(string encoding)
    {
        var content = Asking.Bytes(Photo, "image/png");
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);

        using var refused = await frontend.Http.PostAsync(content);

        var problem = await Task.FromResult(refused).ProblemAsync(415, "unsupported-media-type");
        Assert.Contains(encoding, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("gzip, deflate, br", string.Join(", ", refused.Headers.GetValues("Accept-Encoding")));
        await frontend.Http.PostAsync(Asking.Bytes(Photo, "image/png")).AnswerAsync();
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static Stream Compressor(Stream to, string encoding) => encoding.ToLowerInvariant() switch
    {
        "gzip" or "x-gzip" => new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true),
        "deflate" => new ZLibStream(to, CompressionLevel.Fastest, leaveOpen: true),
        "br" => new BrotliStream(to, CompressionLevel.Optimal, leaveOpen: true),
        _ => new BufferedStream(to),
    };

    private static async Task<HttpContent> CompressedAsync(HttpContent content, string encoding)
    {
        var plain = await content.ReadAsByteArrayAsync();
        using var compressed = new MemoryStream();
        var compressor = Compressor(compressed, encoding);
        await compressor.WriteAsync(plain);
        await compressor.FlushAsync();
        if (compressor is not BufferedStream)
        {
            await compressor.DisposeAsync();
        }

        var sent = new ByteArrayContent(compressed.ToArray());
        sent.Headers.ContentType = content.Headers.ContentType;
        sent.Headers.ContentEncoding.Add(encoding);
        return sent;
    }

    private static async Task<byte[]> BombAsync(string encoding)
    {
        using var compressed = new MemoryStream();
        await using (var compressor = Compressor(compressed, encoding))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 1024; i++)
            {
                await compressor.WriteAsync(zeros);
            }
        }

        return compressed.ToArray();
    }
}
