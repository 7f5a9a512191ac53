using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Api.Batches;

public sealed class BatchTests(OneProcess frontend)
{
    [Fact]
    public async Task Every_file_of_a_form_has_its_line_and_a_bad_one_fails_alone()
    {
        const int Photos = 20;
        using var form = new MultipartFormDataContent();
        for (var i = 0; i < Photos; i++)
        {
            form.Add(new ByteArrayContent(i == 7 ? "no picture"u8.ToArray() : TestPictures.Unique(1300 + i)), "image", $"p{i}.jpg");
        }

        form.Add(new ByteArrayContent(new byte[(20 * 1024 * 1024) + 1]), "image", "large.jpg");

        var lines = await PostAsync(form, "?threshold=0.07&timeout=60");

        Assert.Equal(Enumerable.Range(0, Photos + 1), lines.Select(line => line.GetProperty("index").GetInt32()).Order());
        foreach (var line in lines)
        {
            var index = line.GetProperty("index").GetInt32();
            Assert.Equal(index == Photos ? "large.jpg" : $"p{index}.jpg", line.GetProperty("name").GetString());
            if (index is 7 or Photos)
            {
                Assert.Equal(index == 7 ? "/problems/not-a-picture" : "/problems/picture-too-large", line.GetProperty("problem").GetProperty("type").GetString());
                continue;
            }

            Assert.Equal(TestPictures.ImageKey(TestPictures.Unique(1300 + index)), line.GetProperty("result").GetProperty("imageKey").GetString());
            Assert.Equal(0.07f, line.GetProperty("result").GetProperty("threshold").GetSingle());
        }
    }

    [Fact]
    public async Task Lines_of_urls_are_answered_in_the_order_of_completion()
    {
        var photo = TestPictures.Unique(1330);
        await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg")).AnswerAsync();
        var url = frontend.Pictures.Url("batch.jpg", photo).ToString();
        var gone = frontend.Pictures.Url("batch-gone.jpg", null).ToString();

        // The first picture gets no answer; the others do not wait for it.
        var slow = frontend.Pictures.HoldUrl("batch-held.jpg");
        var body = $$"""
            {"url":"{{slow}}"}
            {"url":"{{url}}"}

            {"url":"{{gone}}"}
            {"url":"http://169.254.169.254/"}
            no json
            {"image":"{{Convert.ToBase64String(photo)}}"}
            {"url":"no \ud800 Unicode"}
            """;

        var lines = await PostAsync(new StringContent(body, Encoding.UTF8, "application/x-ndjson"), "?timeout=3");

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], lines.Select(line => line.GetProperty("index").GetInt32()).Order());
        Assert.Equal(0, lines[^1].GetProperty("index").GetInt32());
        var byIndex = lines.ToDictionary(line => line.GetProperty("index").GetInt32());
        Assert.Equal(url, byIndex[1].GetProperty("name").GetString());
        Assert.Equal(TestPictures.ImageKey(photo), byIndex[1].GetProperty("result").GetProperty("imageKey").GetString());
        Assert.Equal(TestPictures.ImageKey(photo), byIndex[5].GetProperty("result").GetProperty("imageKey").GetString());
        string Problem(int index) => byIndex[index].GetProperty("problem").GetProperty("type").GetString()!;
        Assert.True(Problem(0) is "/problems/url-not-reachable" or "/problems/deadline-exceeded", Problem(0));
        Assert.Equal("/problems/url-not-reachable", Problem(2));
        Assert.Equal("/problems/url-not-allowed", Problem(3));
        Assert.Equal("/problems/invalid-request", Problem(4));
        Assert.Equal("/problems/invalid-request", Problem(6));
    }

    [Fact]
    public async Task Invalid_batch_is_refused_and_a_broken_one_ends_with_a_problem()
    {
        await RefusedAsync(new ByteArrayContent([1]), "", 415, "unsupported-media-type");
        await RefusedAsync(new StringContent("", Encoding.UTF8, "application/x-ndjson"), "?threshold=2", 400, "invalid-request");
        Assert.Empty(await PostAsync(new StringContent("", Encoding.UTF8, "application/x-ndjson"), ""));

        var broken = new ByteArrayContent(Encoding.ASCII.GetBytes("--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\n\r\ncut off"));
        broken.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b");
        var line = Assert.Single(await PostAsync(broken, ""));
        Assert.False(line.TryGetProperty("index", out _));
        Assert.Equal("/problems/invalid-request", line.GetProperty("problem").GetProperty("type").GetString());

        var many = await PostAsync(new StringContent(string.Concat(Enumerable.Repeat("{}\n", 1001)), Encoding.UTF8, "application/x-ndjson"), "");
        Assert.Equal(1001, many.Count);
        Assert.Contains("1000", many.Single(l => !l.TryGetProperty("index", out _)).GetProperty("problem").GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Line_that_is_too_long_ends_the_batch_with_a_problem_of_the_caller()
    {
        var body = new ByteArrayContent(new byte[30 * 1024 * 1024]);
        body.Headers.TryAddWithoutValidation("Content-Type", "application/x-ndjson");

        var line = Assert.Single(await PostAsync(body, ""));

        Assert.False(line.TryGetProperty("index", out _));
        Assert.Equal("/problems/picture-too-large", line.GetProperty("problem").GetProperty("type").GetString());
        await frontend.Http.ReadAsync("/health/live").AnswerAsync();
        Assert.DoesNotContain("draining of the request body failed", frontend.Process.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endless_blank_lines_time_out()
    {
        await using var impatient = await ImpatientAsync();
        using var socket = await ConnectAsync(impatient, "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked");

        var received = new StringBuilder();
        var buffer = new byte[4096];
        await Eventually.Async(
            async () =>
            {
                while (socket.Available > 0)
                {
                    received.Append(Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer)));
                }

                await socket.SendAsync("1\r\n\n\r\n"u8.ToArray());
                return received.ToString().Contains("/problems/upload-timeout", StringComparison.Ordinal);
            },
            Eventually.Soon,
            "the batch has ended");
    }

    [Fact]
    public async Task Client_that_reads_no_lines_loses_its_place()
    {
        // The lines repeat the file names, together far more bytes than the buffers of a connection.
        var file = $"--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{new string('n', 15_000)}\"\r\n\r\nno picture\r\n";
        var body = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(file, 1000)) + "--b--\r\n");
        await using var impatient = await ImpatientAsync();
        using var socket = await ConnectAsync(impatient, $"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {body.Length}");

        await socket.SendAsync(body);

        await Eventually.Async(
            async () =>
            {
                using var response = await impatient.Http.PostAsync(Asking.Bytes([], "image/png"));
                return response.StatusCode == HttpStatusCode.BadRequest;
            },
            Eventually.Soon,
            "the only place is free");
    }

    /// <summary>A front end without a cluster, with 1 s for each upload and one place.</summary>
    private static async Task<DetectionProcess> ImpatientAsync()
    {
        var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
            ["Detection__Frontend__UploadTimeout"] = "00:00:01",
            ["Detection__Access__MaxUploads"] = "1",
        });
        await Eventually.Async(
            async limit => (await process.Http.GetAsync(new Uri("/health/live", UriKind.Relative), limit)).IsSuccessStatusCode, TimeSpan.FromSeconds(60), "it is live");
        return process;
    }

    private static async Task<Socket> ConnectAsync(DetectionProcess process, string headers)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(process.Url.Host, process.Url.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST /v1/detections/batch HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n"));
        return socket;
    }

    private async Task RefusedAsync(HttpContent content, string query, int status, string type) =>
        await frontend.Http.PostAsync(new Uri("/v1/detections/batch" + query, UriKind.Relative), content).ProblemAsync(status, type);

    private async Task<List<JsonElement>> PostAsync(HttpContent content, string query)
    {
        using var response = await frontend.Http.PostAsync(new Uri("/v1/detections/batch" + query, UriKind.Relative), content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }
}
