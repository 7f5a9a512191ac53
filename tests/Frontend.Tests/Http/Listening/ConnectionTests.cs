using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Detection.Frontend.Tests.Http.Listening;

/// <summary>Limits of connections and requests: a caller over its limit is refused, the others are served, and later all are.</summary>
public sealed class ConnectionTests
{
    private const string Greedy = "127.0.0.2";
    private const string Second = "127.0.0.3";

    [Fact]
    public async Task Address_over_its_share_of_connections_is_refused_and_others_are_accepted()
    {
        await using var frontend = await StartAsync(new() { ["Detection__Frontend__MaxConnections"] = "16" });
        var before = await DetectAsync(frontend.Http, 8800);

        // Half of 16 less the connection of the client above.
        using (var silent = new SilentConnections(frontend))
        {
            await silent.OpenAsync(Greedy, 7);
            await silent.RefusedAsync(Greedy);
            await silent.RefusedAsync(Greedy);

            // Half of 16 - 1 - 7.
            await silent.OpenAsync(Second, 4);
            await silent.RefusedAsync(Second);
            Assert.Equal(before, await DetectAsync(frontend.Http, 8800 + TestPictures.PhotoCount));
            Assert.Equal(0, silent.Closed);

            // The address may now hold half of 16 - 1 - 4.
            silent.Close(Greedy, 3);
            await Eventually.Async(limit => silent.IsServedAsync(Greedy, limit), Eventually.Soon, "the place is free");
        }

        using var again = new SilentConnections(frontend);
        await Eventually.Async(
            async limit =>
            {
                again.Close();
                await again.OpenAsync(Greedy, 6);
                return await again.IsServedAsync(Greedy, limit);
            },
            Eventually.Soon,
            "the address has its share again");
        Assert.Equal(before, await DetectAsync(frontend.Http, 8800 + (2 * TestPictures.PhotoCount)));
        Assert.Contains($"Connection from {Greedy} closed", frontend.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_are_limited_when_the_process_may_open_few_files()
    {
        await using var frontend = DetectionProcess.StartFrontend(
            new Dictionary<string, string?> { [DetectionSettings.Redis] = null, ["Detection__Frontend__AddressConnectionShare"] = "1" }, openFiles: 1024);
        await frontend.ReadyAsync();
        var before = await DetectAsync(frontend.Http, 8850);
        Assert.Contains("it accepts 384 concurrent connections", frontend.Process.Log, StringComparison.Ordinal);

        // Less the connection of the client above.
        using (var silent = new SilentConnections(frontend))
        {
            await silent.OpenAsync(Greedy, 383);
            await silent.RefusedAsync(Greedy);
            await silent.RefusedAsync(Second);
            Assert.Equal(before, await DetectAsync(frontend.Http, 8850 + TestPictures.PhotoCount));
        }

        Assert.Equal(before, await DetectAsync(frontend.Http, 8850 + (2 * TestPictures.PhotoCount)));
    }

    [Fact]
    public async Task Start_with_too_few_open_files_fails_with_the_reason()
    {
        await using var frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?> { [DetectionSettings.Redis] = null }, openFiles: 450);
        await frontend.Process.ExitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, frontend.Process.ExitCode);
        Assert.Contains("Cannot start: This process may have only 450 files and connections open.", frontend.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_and_reads_over_the_limit_are_refused_until_others_end()
    {
        await using var frontend = await StartAsync(new()
        {
            ["Detection__Frontend__MaxConnections"] = "6",
            ["Detection__Frontend__AddressConnectionShare"] = "1",
            ["Detection__Frontend__MinBytesPerSecond"] = "0",
            ["Detection__Access__MaxReads"] = "1",
        });
        var before = await DetectAsync(frontend.Http, 8810);

        using (var silent = new SilentConnections(frontend))
        {
            await silent.OpenAsync("127.0.0.1", 5);
            await silent.RefusedAsync("127.0.0.1");
            await silent.RefusedAsync(Second);
            Assert.Equal(before, await DetectAsync(frontend.Http, 8810 + TestPictures.PhotoCount));
        }

        // The client does not read the answers: the last request stays in progress until the connection ends.
        using (var reader = await ServedAsync(frontend, "127.0.0.1"))
        {
            await SendUntilStuckAsync(reader, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await Eventually.Async(
                async () =>
                {
                    using var refused = await frontend.Http.ReadAsync("/v1/models");
                    return refused.StatusCode == HttpStatusCode.ServiceUnavailable;
                },
                Eventually.Soon,
                "the reader has the only place");
            await frontend.Http.ReadAsync("/v1/models").ProblemAsync(503, "too-many-requests");
            Assert.Equal(before, await DetectAsync(frontend.Http, 8810 + (2 * TestPictures.PhotoCount))); // uploads are counted separately
            await frontend.Http.ReadAsync("/health/ready").AnswerAsync();
        }

        await Eventually.Async(
            async () =>
            {
                using var answer = await frontend.Http.ReadAsync("/v1/models");
                return answer.StatusCode == HttpStatusCode.OK;
            },
            Eventually.Soon,
            "the place is free again");
    }

    [Fact]
    public async Task Slow_uploads_and_reads_of_one_address_leave_places_for_others()
    {
        await using var frontend = await StartAsync(new()
        {
            ["Detection__Frontend__MinBytesPerSecond"] = "0",
            ["Detection__Access__MaxUploads"] = "4",
            ["Detection__Access__MaxReads"] = "4",
        });
        var before = await DetectAsync(frontend.Http, 8820);
        using var greedy = From(frontend, Greedy);

        // Half of 4 uploads whose last byte is not sent. More are sent, because one that arrives while the one below is served is refused.
        using (var cancellation = new CancellationTokenSource())
        {
            StuckContent[] bodies = [.. Enumerable.Range(0, 10).Select(_ => new StuckContent(TestPictures.Unique(8829)))];
            Task[] slow = [.. bodies.Select(body => SendSlowlyAsync(greedy, body, cancellation.Token))];
            await Task.WhenAll(bodies.Select(body => body.Sent)).WaitAsync(Eventually.Soon, cancellation.Token);
            await RefusedAsync(() => greedy.PostAsync(Asking.Bytes([1], "image/jpeg")));
            Assert.Equal(before, await DetectAsync(frontend.Http, 8820 + TestPictures.PhotoCount));
            await cancellation.CancelAsync();
            await Task.WhenAll(slow);
        }

        // Half of 4 reads whose answers are not read.
        using (var first = await ServedAsync(frontend, Greedy))
        using (var second = await ServedAsync(frontend, Greedy))
        {
            await Task.WhenAll(
                SendUntilStuckAsync(first, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SendUntilStuckAsync(second, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            await RefusedAsync(() => greedy.ReadAsync("/v1/models"));
            await frontend.Http.ReadAsync("/v1/models").AnswerAsync();
        }

        await Eventually.Async(
            async () => await DetectAsync(greedy, 8820 + (2 * TestPictures.PhotoCount)) == before, Eventually.Soon, "the address is served again");

        static Task RefusedAsync(Func<Task<HttpResponseMessage>> ask) => Eventually.Async(
            async () =>
            {
                await ask().ProblemAsync(429, "rate-limited");
                return true;
            },
            Eventually.Soon,
            "the address holds its share of the places");
    }

    /// <summary>A client with another address.</summary>
    private static HttpClient From(DetectionProcess frontend, string address) => new(
        new SocketsHttpHandler { ConnectCallback = async (_, _) => new NetworkStream(await ConnectAsync(frontend, address), ownsSocket: true) })
    {
        BaseAddress = frontend.Url,
    };

    /// <summary>An upload whose rest is never sent.</summary>
    private static async Task SendSlowlyAsync(HttpClient http, StuckContent body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/detections", UriKind.Relative)) { Content = body };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => http.SendAsync(request, cancellationToken));
    }

    private static async Task<DetectionProcess> StartAsync(Dictionary<string, string?> settings)
    {
        settings[DetectionSettings.Redis] = null;
        var frontend = DetectionProcess.StartFrontend(settings);
        await frontend.ReadyAsync();
        return frontend;
    }

    /// <summary>The boxes of a photo; numbers that differ by the count of photos are the same photo.</summary>
    private static async Task<string> DetectAsync(HttpClient http, int seed) =>
        (await http.PostAsync(Asking.Bytes(TestPictures.Unique(seed), "image/jpeg"), "?timeout=60").AnswerAsync()).GetProperty("boxes").GetRawText();

    private static async Task<Socket> ConnectAsync(DetectionProcess frontend, string from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(IPAddress.Loopback, frontend.Url.Port);
        return socket;
    }

    /// <summary>Opens a connection that the server accepts; the server takes some time to notice that others are closed.</summary>
    private static async Task<Socket> ServedAsync(DetectionProcess frontend, string from)
    {
        Socket? served = null;
        await Eventually.Async(
            async () =>
            {
                var socket = await ConnectAsync(frontend, from);
                if (await IsAnsweredAsync(socket))
                {
                    served = socket;
                    return true;
                }

                socket.Dispose();
                return false;
            },
            Eventually.Soon,
            $"a connection from {from} is answered");
        return served!;
    }

    private static async Task<bool> IsAnsweredAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(Eventually.Soon);
        var answer = new StringBuilder();
        var buffer = new byte[512];
        try
        {
            await socket.SendAsync("HEAD /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), limit.Token);
            while (await socket.ReceiveAsync(buffer, limit.Token) is > 0 and var count)
            {
                answer.Append(Encoding.ASCII.GetString(buffer, 0, count));
                if (answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }
        catch (SocketException)
        {
            // Reset, because the server did not read all bytes.
        }

        return false;
    }

    /// <summary>Sends a request repeatedly until the server stops reading, because nobody reads its answers.</summary>
    private static async Task SendUntilStuckAsync(Socket socket, string request)
    {
        var requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, 1000)));
        while (true)
        {
            using var stuck = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                await socket.SendAsync(requests, stuck.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>A body whose last byte is not sent.</summary>
    private sealed class StuckContent : HttpContent
    {
        private readonly byte[] _bytes;
        private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public StuckContent(byte[] bytes)
        {
            _bytes = bytes;
            Headers.ContentType = new("image/jpeg");
        }

        /// <summary>Flushes the first part.</summary>
        public Task Sent => _sent.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(_bytes.AsMemory(1), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            _sent.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }

    /// <summary>Connections that send nothing after the server has accepted them.</summary>
    private sealed class SilentConnections(DetectionProcess frontend) : IDisposable
    {
        private readonly List<(string From, Socket Socket)> _open = [];

        /// <summary>Number of held connections that the server has closed.</summary>
        public int Closed => _open.Count(static held => held.Socket.Poll(0, SelectMode.SelectRead));

        public async Task OpenAsync(string from, int count)
        {
            for (var i = 0; i < count; i++)
            {
                // The server accepts connections in any order: each must be answered before the next one is opened.
                var socket = await ConnectAsync(frontend, from);
                _open.Add((from, socket));
                await IsAnsweredAsync(socket);
            }
        }

        /// <summary>Asserts that one more connection is closed without an answer.</summary>
        public async Task RefusedAsync(string from)
        {
            using var socket = await ConnectAsync(frontend, from);
            using var limit = new CancellationTokenSource(Eventually.Soon);
            try
            {
                await socket.SendAsync("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), limit.Token);
                Assert.Equal(0, await socket.ReceiveAsync(new byte[64], limit.Token));
            }
            catch (SocketException)
            {
                // Reset, because the server did not read all bytes.
            }
        }

        /// <summary>Whether one more connection is answered.</summary>
        public async Task<bool> IsServedAsync(string from, CancellationToken limit)
        {
            using var socket = await ConnectAsync(frontend, from);
            try
            {
                await socket.SendAsync("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), limit);
                return await socket.ReceiveAsync(new byte[64], limit) > 0;
            }
            catch (SocketException)
            {
                return false;
            }
        }

        public void Close(string from, int count)
        {
            foreach (var held in _open.Where(held => held.From == from).Take(count).ToList())
            {
                _open.Remove(held);
                held.Socket.Dispose();
            }
        }

        public void Close()
        {
            _open.ForEach(static held => held.Socket.Dispose());
            _open.Clear();
        }

        public void Dispose() => Close();
    }
}
