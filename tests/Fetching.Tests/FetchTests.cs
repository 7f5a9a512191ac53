using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Detection.Contracts.Fetching;
using Detection.Contracts.Storage;
using Microsoft.AspNetCore.Http;

namespace Detection.Fetching.Tests;

/// <summary>Fetching from servers that behave correctly, and from others.</summary>
public sealed class FetchTests(SharedRedis redis)
{
    private static readonly RedisKeys Keys = new();
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    [Theory, InlineData(1), InlineData(5_000), InlineData(256 * 1024), InlineData(3_000_000)]
    public async Task Picture_is_stored_unchanged_and_expires(int length)
    {
        var picture = RecordingHost.NewPicture(length);
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(picture));
        await using var fetcher = NewFetcher(host.Port);

        await AssertStoredAsync(picture, await fetcher.FetchAsync($"http://host.test:{host.Port}/picture.jpg?size=2"));

        var expiry = await redis.Connection.GetDatabase().KeyTimeToLiveAsync(Keys.Picture(Key(picture)));
        Assert.InRange(expiry!.Value, TimeSpan.FromSeconds(1), PictureStore.UnacceptedExpiry);
    }

    [Fact]
    public async Task Fetch_from_server_of_HTTP_1_0_has_connection_of_its_own()
    {
        var picture = RecordingHost.NewPicture();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(backlog: 128);
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var serving = Task.Run(async () =>
        {
            var requests = new List<int>();
            for (var i = 0; i < 60; i++)
            {
                requests.Add(await AnswerAsync(await listener.AcceptSocketAsync(), picture));
            }

            return requests;
        });
        await using var fetcher = NewFetcher(port);

        for (var i = 0; i < 15; i++)
        {
            foreach (var outcome in await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => fetcher.FetchAsync($"http://host.test:{port}/"))))
            {
                await AssertStoredAsync(picture, outcome);
            }
        }

        Assert.All(await serving, count => Assert.Equal(1, count));

        // Sends the length but no Connection header, and keeps the connection open for a second request, which it does not answer.
        static async Task<int> AnswerAsync(Socket socket, byte[] picture)
        {
            var request = new byte[4096];
            var length = 0;
            while (!Encoding.ASCII.GetString(request, 0, length).EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                length += await socket.ReceiveAsync(request.AsMemory(length));
            }

            await socket.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.0 200 OK\r\nContent-Length: {picture.Length}\r\n\r\n"));
            await socket.SendAsync(picture);
            var more = await socket.ReceiveAsync(request);
            socket.Dispose();
            return more == 0 ? 1 : 2;
        }
    }

    [Fact]
    public async Task Picture_in_chunks_is_stored()
    {
        var picture = RecordingHost.NewPicture(700_000);
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            foreach (var chunk in picture.Chunk(33_333))
            {
                await context.Response.Body.WriteAsync(chunk);
                await context.Response.Body.FlushAsync();
            }
        });
        await using var fetcher = NewFetcher(host.Port);

        await AssertStoredAsync(picture, await fetcher.FetchAsync($"http://host.test:{host.Port}/"));
    }

    [Fact]
    public async Task Concurrent_fetches_do_not_mix_their_bytes()
    {
        var pictures = Enumerable.Range(0, 40).Select(i => RecordingHost.NewPicture(1_000 + (i * 40_000))).ToArray();
        await using var host = await RecordingHost.StartAsync(
            context => RecordingHost.Picture(pictures[int.Parse(context.Request.Path.Value!.AsSpan(1), CultureInfo.InvariantCulture)])(context));
        await using var fetcher = NewFetcher(host.Port);

        var outcomes = await Task.WhenAll(pictures.Select((_, i) => fetcher.FetchAsync($"http://host.test:{host.Port}/{i}")));

        for (var i = 0; i < pictures.Length; i++)
        {
            await AssertStoredAsync(pictures[i], outcomes[i]);
        }
    }

    [Fact]
    public async Task Large_pictures_return_their_places_after_any_outcome()
    {
        const int Large = 3_000_000;
        var (large, small) = (RecordingHost.NewPicture(Large), RecordingHost.NewPicture());
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            switch (context.Request.Path.Value)
            {
                case "/stall":
                    await context.Response.Body.WriteAsync(large.AsMemory(0, Large - 1));
                    await context.Response.Body.FlushAsync();
                    await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
                    break;
                case "/break":
                    await context.Response.Body.WriteAsync(large.AsMemory(0, Large - 1));
                    await context.Response.Body.FlushAsync();
                    context.Abort();
                    break;
                default:
                    await RecordingHost.Picture(context.Request.Path == "/large" ? large : small)(context);
                    break;
            }
        });

        const int MaxBytes = 256 * 1024 * 1024;
        var places = (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8 / MaxBytes, 2, 1024);
        await using var fetcher = NewFetcher(host.Port, ("MaxBytes", $"{MaxBytes}"), ("MaxConcurrency", "1024"), ("SiteShare", "1"));
        for (var round = 0; round < 2; round++)
        {
            using var leaving = new CancellationTokenSource();
            var stalled = Enumerable.Range(0, (places / 2) + 1).Select(_ => FetchAsync("/stall", "a", cancellationToken: leaving.Token)).ToArray();
            await Eventually.Async(
                async () => (await FetchAsync("/large", "a", Short)).Status == FetchStatus.ShareUsed, Eventually.Soon, "the caller's share of large pictures is used");
            await AssertStoredAsync(large, await FetchAsync("/large", "b"));
            await AssertStoredAsync(small, await FetchAsync("/small", "b"));

            await leaving.CancelAsync();
            foreach (var one in stalled)
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
            }

            Assert.Equal(FetchStatus.NotReachable, (await FetchAsync("/break", "a")).Status);
            Assert.Equal(FetchStatus.TimedOut, (await FetchAsync("/stall", "a", Short)).Status);
            await AssertStoredAsync(large, await FetchAsync("/large", "a"));
        }

        Task<FetchOutcome> FetchAsync(string path, string caller, TimeSpan? budget = null, CancellationToken cancellationToken = default) =>
            fetcher.FetchAsync($"http://host.test:{host.Port}{path}", budget, caller, cancellationToken);
    }

    [Fact]
    public async Task Request_sends_no_cookies_credentials_or_trace_headers()
    {
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            context.Response.Headers.SetCookie = "id=1";
            await RecordingHost.Picture(RecordingHost.NewPicture())(context);
        });
        await using var fetcher = NewFetcher(host.Port);
        using var activity = new System.Diagnostics.Activity("caller").Start();

        await fetcher.FetchAsync($"http://host.test:{host.Port}/1");
        await fetcher.FetchAsync($"http://host.test:{host.Port}/2");

        Assert.Equal(2, host.Requests.Count);
        Assert.Equal(["Accept", "Accept-Encoding", "Host", "User-Agent"], host.LastHeaders!.Keys.Order(StringComparer.Ordinal));
    }

    [Theory, InlineData(301), InlineData(302), InlineData(303), InlineData(307), InlineData(308)]
    public async Task Redirects_are_followed(int status)
    {
        var picture = RecordingHost.NewPicture();
        var location = "";
        await using var host = await RecordingHost.StartAsync(RecordingHost.Redirect(() => location, picture, status));
        await using var fetcher = NewFetcher(host.Port);

        foreach (var target in new[] { "/a", "a", "../a?b=c", $"//host.test:{host.Port}/a", $"http://other.test:{host.Port}/a", "?x" })
        {
            location = target;
            var url = $"http://host.test:{host.Port}/{(target == "?x" ? "once" : "redirect")}";
            await AssertStoredAsync(picture, await fetcher.FetchAsync(url));
        }
    }

    [Theory, InlineData(5, FetchStatus.Stored), InlineData(6, FetchStatus.NotReachable), InlineData(int.MaxValue, FetchStatus.NotReachable)]
    public async Task Redirects_are_limited(int redirects, FetchStatus status)
    {
        var picture = RecordingHost.NewPicture();
        await using var host = await RecordingHost.StartAsync(context =>
        {
            var hop = int.Parse(context.Request.Path.Value!.AsSpan(1), CultureInfo.InvariantCulture);
            if (hop == redirects)
            {
                return RecordingHost.Picture(picture)(context);
            }

            context.Response.Redirect($"/{hop + 1}");
            return Task.CompletedTask;
        });
        await using var fetcher = NewFetcher(host.Port);

        Assert.Equal(status, (await fetcher.FetchAsync($"http://host.test:{host.Port}/0")).Status);
        Assert.Equal(6, host.Requests.Count);
    }

    [Theory]
    [InlineData("http://", FetchStatus.NotReachable), InlineData("http://[nonsense/", FetchStatus.NotReachable)]
    [InlineData("file:///etc/passwd", FetchStatus.NotAllowed), InlineData("ftp://host.test/", FetchStatus.NotAllowed)]
    [InlineData("\\\\host.test\\x", FetchStatus.NotAllowed), InlineData("http://user:secret@host.test/", FetchStatus.NotAllowed)]
    [InlineData("http://host.test:6379/", FetchStatus.NotAllowed), InlineData("javascript:alert(1)", FetchStatus.NotAllowed)]
    public async Task Redirect_to_an_invalid_address_is_not_followed(string location, FetchStatus status)
    {
        await using var host = await RecordingHost.StartAsync(RecordingHost.Redirect(() => location, RecordingHost.NewPicture()));
        await using var fetcher = NewFetcher(host.Port);

        Assert.Equal(status, (await fetcher.FetchAsync($"http://host.test:{host.Port}/redirect")).Status);
        Assert.Single(host.Requests);
    }

    [Theory, InlineData(201), InlineData(204), InlineData(206), InlineData(304), InlineData(401), InlineData(404), InlineData(500), InlineData(503)]
    public async Task Other_status_than_200_is_not_reachable(int status)
    {
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            context.Response.StatusCode = status;
            if (status is not (204 or 304))
            {
                await context.Response.WriteAsync("<html>");
            }
        });
        await using var fetcher = NewFetcher(host.Port);

        var outcome = await fetcher.FetchAsync($"http://host.test:{host.Port}/");

        Assert.Equal(new FetchOutcome(FetchStatus.NotReachable, Message: $"The address answered with status {status}.") { IsFinal = status is >= 400 and < 500 and not (408 or 429) }, outcome);
    }

    [Fact]
    public async Task Empty_response_is_not_reachable()
    {
        await using var host = await RecordingHost.StartAsync(_ => Task.CompletedTask);
        await using var fetcher = NewFetcher(host.Port);

        Assert.Equal(FetchStatus.NotReachable, (await fetcher.FetchAsync($"http://host.test:{host.Port}/")).Status);
    }

    [Fact]
    public async Task Compressed_response_is_not_decompressed()
    {
        await using var host = await RecordingHost.StartAsync(context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            return RecordingHost.Picture(RecordingHost.NewPicture())(context);
        });
        await using var fetcher = NewFetcher(host.Port);

        Assert.Equal(FetchStatus.NotReachable, (await fetcher.FetchAsync($"http://host.test:{host.Port}/")).Status);
    }

    [Theory]
    [InlineData(100_000, true, FetchStatus.Stored), InlineData(100_000, false, FetchStatus.Stored)]
    [InlineData(100_001, true, FetchStatus.TooLarge), InlineData(100_001, false, FetchStatus.TooLarge)]
    public async Task MaxBytes_applies_with_and_without_an_announced_length(int length, bool announced, FetchStatus status)
    {
        var picture = RecordingHost.NewPicture(length);
        await using var host = await RecordingHost.StartAsync(announced
            ? RecordingHost.Picture(picture)
            : async context =>
            {
                await context.Response.Body.FlushAsync();
                await context.Response.Body.WriteAsync(picture);
            });
        await using var fetcher = NewFetcher(host.Port, ("MaxBytes", "100000"));

        Assert.Equal(status, (await fetcher.FetchAsync($"http://host.test:{host.Port}/")).Status);
        Assert.Equal(status == FetchStatus.Stored, await redis.Connection.GetDatabase().KeyExistsAsync(Keys.Picture(Key(picture))));
    }

    [Fact]
    public async Task Announced_length_over_the_limit_is_refused()
    {
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            context.Response.ContentLength = 20 * 1024 * 1024 + 1;
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var fetcher = NewFetcher(host.Port);

        Assert.Equal(FetchStatus.TooLarge, (await fetcher.FetchAsync($"http://host.test:{host.Port}/")).Status);
    }

    [Fact]
    public async Task Endless_response_ends_at_the_limit()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            try
            {
                var chunk = new byte[64 * 1024];
                while (true)
                {
                    await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
                }
            }
            finally
            {
                gone.SetResult();
            }
        });
        await using var fetcher = NewFetcher(host.Port, ("MaxBytes", "1000000"));

        Assert.Equal(FetchStatus.TooLarge, (await fetcher.FetchAsync($"http://host.test:{host.Port}/")).Status);
        await gone.Task.WaitAsync(Eventually.Soon, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Slow_server_times_out_at_the_end_of_the_budget()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            try
            {
                using var drip = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
                while (await drip.WaitForNextTickAsync(context.RequestAborted))
                {
                    await context.Response.Body.WriteAsync(new byte[1], context.RequestAborted);
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                }
            }
            finally
            {
                gone.SetResult();
            }
        });
        await using var fetcher = NewFetcher(host.Port);

        Assert.Equal(FetchStatus.TimedOut, (await fetcher.FetchAsync($"http://host.test:{host.Port}/", Short)).Status);
        await gone.Task.WaitAsync(Eventually.Soon, TestContext.Current.CancellationToken);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Hanging_server_times_out_at_the_end_of_the_budget_or_the_setting(bool budget)
    {
        await using var host = await RecordingHost.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        await using var fetcher = budget ? NewFetcher(host.Port) : NewFetcher(host.Port, ("Timeout", "00:00:00.300"));

        var outcome = await fetcher.FetchAsync($"http://host.test:{host.Port}/", budget ? Short : null);

        Assert.Equal(FetchStatus.TimedOut, outcome.Status);
    }

    [Theory, InlineData(0), InlineData(-1)]
    public async Task Fetch_without_a_budget_sends_no_request(int seconds)
    {
        var names = new Names().Add("host.test", "127.0.0.1");
        await using var fetcher = new Fetcher(redis.Connection, names, ("AllowedHosts:0", "host.test"));

        Assert.Equal(FetchStatus.TimedOut, (await fetcher.FetchAsync("http://host.test/", TimeSpan.FromSeconds(seconds))).Status);
        Assert.Empty(names.Asked);
    }

    [Fact]
    public async Task Refused_connection_is_not_reachable()
    {
        var port = LoopbackPorts.Next();
        await using var fetcher = NewFetcher(port);

        var outcome = await fetcher.FetchAsync($"http://host.test:{port}/");

        Assert.Equal(new FetchOutcome(FetchStatus.NotReachable, Message: "The address could not be reached."), outcome);
    }

    [Fact]
    public async Task Unanswered_connection_is_not_reachable()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux drops connections to a listener whose backlog is full.");
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        deaf.Listen(0);
        using var first = new TcpClient();
        await first.ConnectAsync((IPEndPoint)deaf.LocalEndPoint!);
        var port = ((IPEndPoint)deaf.LocalEndPoint!).Port;
        await using var fetcher = NewFetcher(port, ("ConnectTimeout", "00:00:00.200"));

        Assert.Equal(FetchStatus.NotReachable, (await fetcher.FetchAsync($"http://host.test:{port}/")).Status);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -5\r\nContent-Length: nonsense\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n"), InlineData("+PONG\r\n"), InlineData(""), InlineData("HTTP/1.1 200 OK\r\nX")]
    [InlineData("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")]
    public async Task Invalid_or_truncated_response_is_not_reachable(string answer)
    {
        await using var server = new RawServer(answer);
        await using var fetcher = NewFetcher(server.Port);

        Assert.Equal(FetchStatus.NotReachable, (await fetcher.FetchAsync($"http://host.test:{server.Port}/")).Status);
    }

    [Fact]
    public async Task Endless_headers_are_not_reachable()
    {
        await using var server = new RawServer("HTTP/1.1 200 OK\r\nX: " + new string('x', 100_000));
        await using var fetcher = NewFetcher(server.Port);

        Assert.Equal(FetchStatus.NotReachable, (await fetcher.FetchAsync($"http://host.test:{server.Port}/")).Status);
    }

    [Fact]
    public async Task Slow_hosts_hold_no_more_places_than_the_limit_of_the_silo()
    {
        var picture = RecordingHost.NewPicture();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            await go.Task;
            await RecordingHost.Picture(picture)(context);
        });
        await using var fetcher = NewFetcher(host.Port, ("MaxConcurrency", "2"), ("SiteShare", "1"));

        var slow = Enumerable.Range(0, 2).Select(_ => fetcher.FetchAsync($"http://host.test:{host.Port}/slow")).ToArray();
        await Eventually.Async(() => host.Requests.Count == 2, Eventually.Soon, "both slow fetches are under way");
        var waiting = await fetcher.FetchAsync($"http://host.test:{host.Port}/waiting", Short);

        Assert.Equal(FetchStatus.Busy, waiting.Status);
        Assert.Equal(2, host.Requests.Count);

        go.SetResult();
        Assert.All(await Task.WhenAll(slow), outcome => Assert.Equal(FetchStatus.Stored, outcome.Status));
        Assert.Equal(FetchStatus.Stored, (await fetcher.FetchAsync($"http://host.test:{host.Port}/after")).Status);
    }

    [Fact]
    public async Task Cancelled_caller_ends_the_fetch()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await RecordingHost.StartAsync(async context =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }
            finally
            {
                gone.SetResult();
            }
        });
        await using var fetcher = NewFetcher(host.Port);
        using var caller = new CancellationTokenSource();

        var fetch = fetcher.FetchAsync($"http://host.test:{host.Port}/", cancellationToken: caller.Token);
        await Eventually.Async(() => !host.Requests.IsEmpty, Eventually.Soon, "the fetch is under way");
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
        await gone.Task.WaitAsync(Eventually.Soon, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Hanging_Redis_ends_the_fetch_in_time()
    {
        RedisServer.SkipUnlessInstalled();
        await using var own = await RedisServer.StartAsync();
        await using var connection = await own.ConnectAsync();
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()));
        await using var fetcher = NewFetcher(connection, host.Port);
        own.Pause();
        try
        {
            Assert.Equal(FetchStatus.TimedOut, (await fetcher.FetchAsync($"http://host.test:{host.Port}/", Short)).Status);
        }
        finally
        {
            own.Resume();
        }
    }

    [Fact]
    public async Task Refusal_of_Redis_is_an_exception_and_no_outcome_of_the_host()
    {
        RedisServer.SkipUnlessInstalled();
        await using var own = await RedisServer.StartAsync(new RedisOptions { MaxMemory = "1mb" });
        await using var connection = await own.ConnectAsync();
        await using var host = await RecordingHost.StartAsync(RecordingHost.Picture(RecordingHost.NewPicture()));
        await using var fetcher = NewFetcher(connection, host.Port);

        await Assert.ThrowsAnyAsync<StackExchange.Redis.RedisException>(() => fetcher.FetchAsync($"http://host.test:{host.Port}/"));
    }

    private Fetcher NewFetcher(int port, params (string, string)[] settings) => NewFetcher(redis.Connection, port, settings);

    private static Fetcher NewFetcher(StackExchange.Redis.IConnectionMultiplexer redis, int port, params (string, string)[] settings) => new(
        redis,
        new Names().Add("host.test", "127.0.0.1").Add("other.test", "127.0.0.1"),
        [("AllowedPorts:0", $"{port}"), ("AllowedHosts:0", "host.test"), ("AllowedHosts:1", "other.test"), .. settings]);

    private async Task AssertStoredAsync(byte[] picture, FetchOutcome outcome)
    {
        Assert.Equal(new FetchOutcome(FetchStatus.Stored, Key(picture)), outcome);
        byte[]? stored = await redis.Connection.GetDatabase().StringGetAsync(Keys.Picture(outcome.ImageKey!));
        Assert.True(picture.AsSpan().SequenceEqual(stored));
    }

    private static string Key(byte[] picture) => Convert.ToHexStringLower(SHA256.HashData(picture));

    /// <summary>Sends the same bytes to every client and closes the connection.</summary>
    private sealed class RawServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _loop;

        public RawServer(string answer)
        {
            _listener.Start();
            _loop = ServeAsync(Encoding.ASCII.GetBytes(answer));
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _loop;
            _listener.Stop();
            _stop.Dispose();
        }

        private async Task ServeAsync(byte[] answer)
        {
            while (true)
            {
                Socket client;
                try
                {
                    client = await _listener.AcceptSocketAsync(_stop.Token);
                }
                catch (OperationCanceledException)
                {
                    return;
                }

                using (client)
                {
                    try
                    {
                        var request = new byte[8192];
                        await client.ReceiveAsync(request, _stop.Token);
                        await client.SendAsync(answer, _stop.Token);
                        client.Shutdown(SocketShutdown.Send);
                        while (await client.ReceiveAsync(request, _stop.Token) > 0)
                        {
                        }
                    }
                    catch (Exception e) when (e is SocketException or OperationCanceledException)
                    {
                        // The client has closed the connection first.
                    }
                }
            }
        }
    }
}
