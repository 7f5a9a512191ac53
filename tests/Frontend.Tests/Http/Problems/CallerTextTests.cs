using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Detection.Contracts.Messages;

namespace Detection.Frontend.Tests.Http.Problems;

/// <summary>Texts of callers are cut and have no control characters in answers and logs.</summary>
public sealed class CallerTextTests(OneProcess frontend)
{
    private const int Much = 4 * 1024 * 1024;

    [Theory]
    [InlineData(null, "")]
    [InlineData("nanodet", "nanodet")]
    [InlineData("12345678", "12345678")]
    [InlineData("123456789", "12345678…")]
    [InlineData("\u001b[2J", "\\u001b[2J")]
    [InlineData("a\r\n", "a\\u000d\\u000a")]
    [InlineData("a\u2028", "a\\u2028")]
    [InlineData("a\u202e", "a\\u202e")]
    [InlineData("1234567\U0001F600", "1234567…")]
    [InlineData("123456\U0001F600", "123456\U0001F600")]
    [InlineData("äöü€", "äöü€")]
    public void Show_cuts_a_text_and_escapes_control_characters(string? text, string shown)
    {
        Assert.Equal(shown, CallerText.Show(text, 8));
        Assert.Equal(shown, CallerText.Show(Encoding.UTF8.GetBytes(text ?? "").AsSpan(), 8));
    }

    [Fact]
    public void Show_escapes_half_of_a_surrogate_pair() => Assert.Equal("\\ud800a", CallerText.Show("\ud800a", 8));

    [Fact]
    public void Show_of_many_bytes_reads_only_the_shown_part()
    {
        Assert.Equal(new string('a', 8) + "…", CallerText.Show(Encoding.UTF8.GetBytes(new string('a', 1000)).AsSpan(), 8));
        Assert.Equal("€€€€€€€€…", CallerText.Show(Encoding.UTF8.GetBytes(new string('€', 1000)).AsSpan(), 8));
    }

    [Theory]
    [InlineData("output")]
    [InlineData("id")]
    [InlineData("url")]
    [InlineData("input name")]
    public async Task Field_name_of_megabytes_is_refused_with_short_answer_and_short_log(string where)
    {
        var name = new string('n', Much);
        var marker = $"marker-{Guid.NewGuid():N}-{name}";
        var (path, body) = where switch
        {
            "output" => ("/v2/models/nanodet-g/infer", $$"""{"inputs":[],"outputs":[{"name":"{{marker}}"}]}"""),
            "id" => ("/v2/models/nanodet-g/infer", $$"""{"id":"{{marker}}","inputs":[]}"""),
            "input name" => ("/v2/models/nanodet-g/infer", $$"""{"inputs":[{"name":"{{marker}}","datatype":"BYTES","shape":[1],"data":["AAAA"]}]}"""),
            _ => ("/v1/detections", $$"""{"url":"http://{{marker}}/"}"""),
        };

        using var answer = await frontend.Http.PostAsync(new Uri(path, UriKind.Relative), new StringContent(body, new MediaTypeHeaderValue("application/json")));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.InRange((await answer.Content.ReadAsStringAsync()).Length, 1, 4000);
        Assert.All(frontend.Process.Process.Log.Split('\n'), line => Assert.InRange(line.Length, 0, 8000));
    }

    [Fact]
    public async Task Control_characters_of_a_path_are_escaped_in_the_log_and_in_the_answer()
    {
        var marker = $"marker{Guid.NewGuid():N}";
        var answer = await RawAsync($"GET /v1/{marker}%1B%5B2J%0D%0Aforged%E2%80%AE HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", closes: false);

        Assert.StartsWith("HTTP/1.1 404", answer, StringComparison.Ordinal);
        await Eventually.Async(() => frontend.Process.Process.Log.Contains(marker, StringComparison.Ordinal), Eventually.Soon, "the line is in the log");
        var line = frontend.Process.Process.Log.Split('\n').Single(line => line.Contains(marker, StringComparison.Ordinal));
        Assert.Contains($"{marker}\\u001b[2J\\u000d\\u000aforged\\u202e", line, StringComparison.Ordinal);
        var instance = JsonDocument.Parse(answer[answer.IndexOf('{', StringComparison.Ordinal)..(answer.LastIndexOf('}') + 1)]).RootElement.GetProperty("instance").GetString();
        Assert.DoesNotContain('\u001b', instance!);
    }

    /// <summary>A client that closes its half of the connection within the body can still read. 499 is not a status of HTTP.</summary>
    [Theory]
    [InlineData("Content-Length: 1000\r\n\r\nshort", "400")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n", "400")]
    public async Task Body_that_ends_too_early_never_gets_499(string rest, string status)
    {
        var answer = await RawAsync($"POST /v1/detections HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n{rest}", closes: true);

        Assert.True(answer.Length == 0 || answer.StartsWith($"HTTP/1.1 {status}", StringComparison.Ordinal), answer);
    }

    private async Task<string> RawAsync(string request, bool closes)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(frontend.Process.Url.Host, frontend.Process.Url.Port);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request));
        if (closes)
        {
            socket.Shutdown(SocketShutdown.Send);
        }

        using var limit = new CancellationTokenSource(Eventually.Soon);
        using var answer = new MemoryStream();
        var buffer = new byte[4096];
        try
        {
            for (int read; (read = await socket.ReceiveAsync(buffer, limit.Token)) > 0;)
            {
                answer.Write(buffer, 0, read);
            }
        }
        catch (SocketException)
        {
            // The server reset the connection.
        }

        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
