using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Http.Listening;

/// <summary>Requests as bytes, in forms that servers and proxies read differently, or that use unlimited memory.</summary>
public sealed class WireTests(OneProcess frontend)
{
    private const string Post = "POST /v1/detections HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n";
    private const string Chunked = Post + "Transfer-Encoding: chunked\r\n\r\n";

    /// <summary>
    /// Bodies whose end two programs could see at different places (CVE-2025-55315, golang/go #71988, aspnet/KestrelHttpServer #1181, RFC 9112
    /// section 6.3): the server closes the connection and does not read the bytes after them as a request.
    /// </summary>
    [Theory]
    [InlineData(Chunked + "2;\nxx\r\n")]
    [InlineData(Chunked + "2;\rxx\r\nxy\r\n0\r\n\r\n")]
    [InlineData(Chunked + "2\nxy\r\n0\r\n\r\n")]
    [InlineData(Chunked + "2\r\nxy\n0\r\n\r\n")]
    [InlineData(Chunked + "0x2\r\nxy\r\n0\r\n\r\n")]
    [InlineData(Chunked + "+2\r\nxy\r\n0\r\n\r\n")]
    [InlineData(Chunked + "ffffffffffffffff1\r\nxy\r\n0\r\n\r\n")]
    [InlineData(Post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData(Post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")]
    [InlineData(Post + "Transfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n")]
    [InlineData(Post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nxy")]
    [InlineData(Post + "Content-Length: 2, 2\r\n\r\nxy")]
    [InlineData(Post + "Content-Length : 2\r\n\r\nxy")]
    [InlineData(Post + "X: a\rContent-Length: 2\r\n\r\nxy")]
    [InlineData(Post + "X: a\r\n Content-Length: 2\r\n\r\nxy")]
    public async Task Bytes_after_a_body_of_ambiguous_length_are_not_a_request(string request)
    {
        var marker = $"smuggled{Guid.NewGuid():N}";

        var answer = await AskAsync($"{request}GET /v1/models/{marker} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Equal(0, answer.LastIndexOf("HTTP/1.1", StringComparison.Ordinal));
        Assert.DoesNotContain(marker, answer, StringComparison.Ordinal);
    }

    /// <summary>Chunk extensions and trailers change neither the picture nor the caller.</summary>
    [Fact]
    public async Task Chunk_extensions_and_trailers_are_ignored()
    {
        var photo = TestPictures.Unique(8900);
        var expected = (await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg")).AnswerAsync()).GetProperty("boxes").GetRawText();
        var body = Encoding.Latin1.GetString(photo);

        var answer = await AskAsync(
            $"{Post}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{photo.Length:x};name=\"va\\\"lue\"\r\n{body}\r\n0;last\r\nHost: evil\r\nContent-Length: 5\r\nX-API-Key: x\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Equal(expected, JsonDocument.Parse(answer[answer.IndexOf('{', StringComparison.Ordinal)..(answer.LastIndexOf('}') + 1)]).RootElement.GetProperty("boxes").GetRawText());
    }

    /// <summary>The framework checks a header line in pieces (dotnet/aspnetcore #67838), so one line could use as much memory as a body.</summary>
    [Theory]
    [InlineData("/v1/detections", "/problems/invalid-request")]
    [InlineData("/v1/detections/batch", "/problems/invalid-request")]
    [InlineData("/v1/vision/detection", "\"success\":false")]
    public async Task Endless_headers_of_a_section_are_refused(string path, string said)
    {
        var good = TestPictures.Unique(8910);
        var before = await BoxesAsync(Asking.Form(good));
        var head = $"--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"; more=\"{new string('a', 60_000)}";

        // No bytes follow: a server that waits for the end of the line would wait for ever.
        var answer = await AskAsync(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n{head}", until: said);

        Assert.Contains(said, answer, StringComparison.Ordinal);
        Assert.Equal(before, await BoxesAsync(Asking.Form(good)));
    }

    [Fact]
    public async Task Picture_after_ten_thousand_parts_is_found_or_the_first_part_is_refused()
    {
        var photo = TestPictures.Unique(8920);
        var expected = await BoxesAsync(Asking.Bytes(photo, "image/jpeg"));
        using var form = new MemoryStream();
        void Write(string text) => form.Write(Encoding.Latin1.GetBytes(text));
        for (var i = 0; i < 10_000; i++)
        {
            Write("--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\nb\r\n");
        }

        Write($"--x\r\nContent-Disposition: form-data; name=\"other\"; filename=\"b\"\r\n\r\n{new string('c', 200_000)}\r\n");
        Write("--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"d\"\r\n\r\n");
        form.Write(photo);
        Write("\r\n--x--\r\n");

        var problem = await frontend.Http.PostAsync(Form(form.ToArray())).ProblemAsync(400, "invalid-request");
        using var found = await frontend.Http.PostAsync(new Uri("/v1/vision/detection", UriKind.Relative), Form(form.ToArray()));

        Assert.Contains("'a'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var predictions = JsonDocument.Parse(await found.Content.ReadAsStringAsync()).RootElement.GetProperty("predictions");
        Assert.Equal(JsonDocument.Parse(expected).RootElement.GetArrayLength(), predictions.GetArrayLength());
        Assert.Equal(expected, await BoxesAsync(Asking.Form(photo)));
    }

    /// <summary>The server limits the number of headers too.</summary>
    [Fact]
    public async Task Hundred_headers_are_read_and_more_are_refused()
    {
        static string Get(int more) =>
            $"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{string.Concat(Enumerable.Range(0, more).Select(i => $"X-{i}: x\r\n"))}\r\n";

        Assert.StartsWith("HTTP/1.1 200", await AskAsync(Get(98)), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431", await AskAsync(Get(99)), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(Get(98)), StringComparison.Ordinal);
    }

    private static ByteArrayContent Form(byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=x");
        return content;
    }

    private async Task<string> BoxesAsync(HttpContent content) => (await frontend.Http.PostAsync(content).AnswerAsync()).GetProperty("boxes").GetRawText();

    /// <summary>Sends bytes and reads until the connection is closed, or until the answer is complete.</summary>
    private async Task<string> AskAsync(string request, string? until = null)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(frontend.Process.Url.Host, frontend.Process.Url.Port);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request));
        using var limit = new CancellationTokenSource(Eventually.Soon);
        using var answer = new MemoryStream();
        var buffer = new byte[4096];
        try
        {
            int read;
            do
            {
                read = await socket.ReceiveAsync(buffer, limit.Token);
                answer.Write(buffer, 0, read);
            }
            while (read > 0 && (until is null || !Encoding.UTF8.GetString(answer.ToArray()).Contains(until, StringComparison.Ordinal)));
        }
        catch (SocketException)
        {
            // Reset, because of bytes that the server did not read.
        }

        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
