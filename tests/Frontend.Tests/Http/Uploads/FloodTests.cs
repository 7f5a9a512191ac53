using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Detection.Frontend.Tests.Http.Uploads;

/// <summary>A caller that uploads slowly, uploads much or has many pictures drawn does not stop others from being served.</summary>
public sealed class FloodTests(FloodTests.SmallProcess small) : IClassFixture<FloodTests.SmallProcess>
{
    private const string Alice = "key-of-alice";
    private const string Bob = "key-of-bob";
    private const int Megabyte = 1024 * 1024;

    [Fact]
    public async Task Connections_that_announce_much_and_send_little_are_closed_and_block_no_others()
    {
        List<Socket> slow = [];
        try
        {
            for (var i = 0; i < 40; i++)
            {
                slow.Add(await AnnounceAsync(Alice, 20_000_000, 400));
            }

            await small.SendAsync(Alice, HttpMethod.Post, "/v1/detections?timeout=60", Asking.Bytes(Padded(7400, 2 * Megabyte), "image/jpeg")).AnswerAsync();
            await small.SendAsync(Bob, HttpMethod.Post, "/v1/detections?timeout=60", Asking.Bytes(Padded(7401, 2 * Megabyte), "image/jpeg")).AnswerAsync();

            // Less than MinBytesPerSecond: each upload is answered or closed.
            foreach (var socket in slow)
            {
                using var limit = new CancellationTokenSource(Eventually.Soon);
                await EndAsync(socket, limit.Token);
            }
        }
        finally
        {
            slow.ForEach(static socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Key_over_its_share_of_the_memory_is_refused_and_others_are_served()
    {
        List<Socket> large = [];
        try
        {
            // 6 MB of each have arrived, so 8 MiB are held; a caller that is alone may hold half of 48 MiB.
            for (var i = 0; i < 8; i++)
            {
                large.Add(await AnnounceAsync(Alice, 8_000_000, 6_000_000));
            }

            await Eventually.Async(
                async () =>
                {
                    using var refused = await small.SendAsync(Alice, HttpMethod.Post, "/v1/detections", Asking.Bytes(Padded(7410, 7 * Megabyte), "image/jpeg"));
                    return refused.StatusCode == HttpStatusCode.TooManyRequests && (await refused.Content.ReadAsStringAsync()).Contains("share", StringComparison.Ordinal);
                },
                Eventually.Soon,
                "the share is used");
            await small.SendAsync(Bob, HttpMethod.Post, "/v1/detections?timeout=60", Asking.Bytes(Padded(7411, 3 * Megabyte), "image/jpeg")).AnswerAsync();
        }
        finally
        {
            large.ForEach(static socket => socket.Dispose());
        }

        await Eventually.Async(
            async () =>
            {
                using var answer = await small.SendAsync(Alice, HttpMethod.Post, "/v1/detections?timeout=60", Asking.Bytes(Padded(7412, 7 * Megabyte), "image/jpeg"));
                return answer.StatusCode == HttpStatusCode.OK;
            },
            Eventually.Soon,
            "what was held is given back");
    }

    [Fact]
    public async Task Many_drawings_of_a_large_picture_are_answered_or_get_RetryAfter()
    {
        var photo = Padded(7420, 8 * Megabyte);
        var key = (await small.SendAsync(Bob, HttpMethod.Post, "/v1/detections?timeout=60", Asking.Bytes(photo, "image/jpeg")).AnswerAsync()).GetProperty("imageKey").GetString();

        // Nine places; a caller that is alone may hold half.
        var flood = Enumerable.Range(0, 60).Select(_ => small.SendAsync(Bob, HttpMethod.Get, $"/v1/detections/{key}/image")).ToList();
        await Eventually.Async(() => flood.Any(static answer => answer.IsCompleted), Eventually.Soon, "the flood is under way");
        using var other = await small.SendAsync(Alice, HttpMethod.Get, $"/v1/detections/{key}/image");
        var answers = await Task.WhenAll(flood);

        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.All(answers, answer => Assert.True(
            answer.StatusCode == HttpStatusCode.OK || (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests && answer.Headers.RetryAfter is not null),
            $"{(int)answer.StatusCode}"));
        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        var refused = answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        await Task.FromResult(refused).ProblemAsync(429, "share-used");
        await small.SendAsync(Bob, HttpMethod.Get, "/health/ready").AnswerAsync();
        for (var i = 0; i < 3; i++)
        {
            using var afterwards = await small.SendAsync(Bob, HttpMethod.Get, $"/v1/detections/{key}/image");
            Assert.Equal(HttpStatusCode.OK, afterwards.StatusCode);
        }
    }

    private static byte[] Padded(int seed, int length)
    {
        // A JPEG may have any bytes after its end.
        var padded = new byte[length];
        TestPictures.Unique(seed).CopyTo(padded, 0);
        return padded;
    }

    /// <summary>Starts an upload and sends a part of it.</summary>
    private async Task<Socket> AnnounceAsync(string key, int announced, int sent)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", small.Process.Url.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/detections HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Type: image/jpeg\r\nContent-Length: {announced}\r\n\r\n"));
        try
        {
            for (var left = sent; left > 0;)
            {
                left -= await socket.SendAsync(new byte[Math.Min(left, 65536)]);
            }
        }
        catch (SocketException)
        {
            // The server refused it in the meantime.
        }

        return socket;
    }

    private static async Task EndAsync(Socket socket, CancellationToken limit)
    {
        try
        {
            while (await socket.ReceiveAsync(new byte[4096], limit) > 0)
            {
            }
        }
        catch (SocketException)
        {
        }
    }

    /// <summary>A front end in one-process mode with two keys and little memory for uploads.</summary>
    public sealed class SmallProcess : IAsyncLifetime
    {
        internal DetectionProcess Process { get; } = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["Detection__Access__Keys__alice__Sha256"] = Access.GuardedProcess.Hash(Alice),
            ["Detection__Access__Keys__bob__Sha256"] = Access.GuardedProcess.Hash(Bob),
            ["Detection__Frontend__MaxBufferedBytes"] = (48 * Megabyte).ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["Detection__Frontend__MaxConcurrentDrawings"] = "1",
            ["Detection__Frontend__MaxWaitingDrawings"] = "8",
        });

        public async ValueTask InitializeAsync() => await Process.ReadyAsync();

        public ValueTask DisposeAsync() => Process.DisposeAsync();

        internal Task<HttpResponseMessage> SendAsync(string key, HttpMethod method, string path, HttpContent? content = null) =>
            Process.Http.SendAsync(new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content, Headers = { { "X-API-Key", key } } });
    }
}
