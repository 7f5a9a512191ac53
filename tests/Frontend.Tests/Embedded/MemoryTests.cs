using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Embedded;

/// <summary>Limits of memory in one-process mode: what is evicted when it is full, and what is never evicted.</summary>
public sealed class MemoryTests(SmallProcess frontend) : IClassFixture<SmallProcess>
{
    private const int Megabyte = 1024 * 1024;

    private static readonly RedisKeys Keys = new();
    private static int _next = 7000;

    [Fact]
    public async Task Many_large_pictures_are_accepted_and_answered()
    {
        var small = TestPictures.Unique(7001);
        var expected = Objects(await frontend.Http.PostAsync(Asking.Bytes(small, "image/jpeg")).AnswerAsync());

        // Nearly four times the memory: answered pictures are evicted.
        for (var i = 0; i < 6; i++)
        {
            var large = TestPictures.Unique(7001 + ((i + 1) * TestPictures.PhotoCount), 19 * Megabyte);
            Assert.Equal(expected, Objects(await frontend.Http.PostAsync(Asking.Bytes(large, "image/jpeg")).AnswerAsync()));
            Assert.InRange(await frontend.Pictures.StringLengthAsync(Keys.Picture(TestPictures.ImageKey(large))), 18 * Megabyte, 20 * Megabyte);
        }

        Assert.Equal(expected, Objects(await frontend.Http.PostAsync(Asking.Bytes(TestPictures.Unique(7001 + (20 * TestPictures.PhotoCount)), "image/jpeg")).AnswerAsync()));
    }

    [Fact]
    public async Task Pictures_of_requests_that_wait_stay_and_new_requests_are_refused_until_there_is_room()
    {
        var waiting = new List<RedisKey>();
        try
        {
            // Requests of a model whose devices are busy for a long time.
            while (waiting.Count <= SmallProcess.Megabytes && await StoreAsync(Name(), Megabyte - 4096) is { } key)
            {
                Assert.True(await KeepAsync(key, "waits@1/1"));
                waiting.Add(key);
            }

            Assert.InRange(waiting.Count, SmallProcess.Megabytes - 2, SmallProcess.Megabytes);
            var leftOver = new List<RedisKey>();
            while (await StoreAsync(Name(), 1) is { } key)
            {
                leftOver.Add(key);
            }

            await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7101))).ProblemAsync(503, "storage-full");
            await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7102, 2 * Megabyte))).ProblemAsync(503, "storage-full");
            await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7103)), "?async=true").ProblemAsync(503, "storage-full");
            foreach (var key in waiting)
            {
                Assert.Equal(Megabyte - 4096, await frontend.Pictures.StringLengthAsync(key));
            }

            // One request ends: there is room for small pictures again.
            await ReleaseAsync(waiting[0], "waits@1/1");
            await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7101))).AnswerAsync();
            Assert.False(await frontend.Pictures.KeyExistsAsync(waiting[0]));
            Assert.True(await frontend.Pictures.KeyExistsAsync(waiting[1]));
            foreach (var key in leftOver)
            {
                await frontend.Pictures.KeyDeleteAsync(key);
            }
        }
        finally
        {
            foreach (var key in waiting)
            {
                await frontend.Pictures.KeyDeleteAsync(key);
            }
        }

        await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7102, 2 * Megabyte))).AnswerAsync();
        await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7103))).AnswerAsync();
    }

    [Fact]
    public async Task Full_memory_accepts_pictures_again_after_others_expire()
    {
        var key = await StoreAsync(Name(), 20 * Megabyte, seconds: 2);
        Assert.True(await KeepAsync(key!.Value, "waits@1/2", 2500));
        Assert.Null(await StoreAsync(Name(), 20 * Megabyte));

        await Eventually.Async(async () =>
        {
            var again = await StoreAsync(Name(), 20 * Megabyte);
            return again is { } stored && await frontend.Pictures.KeyDeleteAsync(stored);
        }, Eventually.Soon, "there is room again");

        Assert.False(await frontend.Pictures.KeyExistsAsync(key.Value));
    }

    [Fact]
    public async Task Picture_of_two_requests_stays_until_both_end_and_a_refused_request_removes_nothing()
    {
        var key = (await StoreAsync(Name(), 20 * Megabyte))!.Value;
        Assert.True(await KeepAsync(key, "one@1/3"));
        Assert.True(await KeepAsync(key, "two@1/3"));
        Assert.Equal(0, (int)await frontend.Pictures.ExecuteAsync("PICTURE.REMOVE", key));
        await ReleaseAsync(key, "one@1/3");
        Assert.Null(await StoreAsync(Name(), 20 * Megabyte));
        await ReleaseAsync(key, "two@1/3");

        var other = (await StoreAsync(Name(), 20 * Megabyte))!.Value;
        Assert.False(await frontend.Pictures.KeyExistsAsync(key));

        // No request was accepted with this picture.
        Assert.Equal(1, (int)await frontend.Pictures.ExecuteAsync("PICTURE.REMOVE", other));
        Assert.False(await frontend.Pictures.KeyExistsAsync(other));
    }

    [Fact]
    public async Task Full_memory_evicts_results_and_nothing_else()
    {
        // A webhook that the receiver wants later, a waiting item, and a state.
        var url = frontend.Webhooks.Url("later", 503);
        using var accepted = await frontend.Http.PostAsync(
            Asking.Bytes(TestPictures.Unique(7201), "image/jpeg"), $"?async=true&webhook={Uri.EscapeDataString(url.ToString())}");
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        var first = Assert.Single(await frontend.Webhooks.ReceiveAsync(url));
        var hour = TimeSpan.FromHours(1);
        var queue = Keys.Queue("waits@1");
        var mark = Keys.Item(new RequestKey("waits@1", TestPictures.ImageKey("waits"u8)));
        await frontend.Redis.ListRightPushAsync(queue, TestPictures.ImageKey("waits"u8));
        await frontend.Redis.StringSetAsync(mark, "1|1|", hour);
        await frontend.Redis.HashSetAsync(Keys.State("waits"), "data", "kept");
        await frontend.Redis.KeyExpireAsync(queue, hour);
        await frontend.Redis.KeyExpireAsync(Keys.State("waits"), hour);

        // Results of three times the memory, faster than any device.
        var result = new byte[4000];
        var results = new List<string>();
        for (var i = 0; i < 3 * SmallProcess.Megabytes * Megabyte / result.Length; i++)
        {
            Random.Shared.NextBytes(result);
            var key = Keys.Result(new RequestKey("full@1", TestPictures.ImageKey(Encoding.ASCII.GetBytes($"{i}"))));
            results.Add(key);
            await frontend.Redis.StringSetAsync(key, result, hour, When.Always, i % 500 == 0 ? CommandFlags.None : CommandFlags.FireAndForget);
            if (i % 500 == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(120), TestContext.Current.CancellationToken);
            }
        }

        Assert.True(await frontend.Redis.KeyExistsAsync(results[^1]));
        Assert.False(await frontend.Redis.KeyExistsAsync(results[0]));
        Assert.Equal(1, await frontend.Redis.ListLengthAsync(queue));
        Assert.Equal("1|1|", await frontend.Redis.StringGetAsync(mark));
        Assert.Equal("kept", await frontend.Redis.HashGetAsync(Keys.State("waits"), "data"));
        Assert.Equal(first.Id, (await frontend.Webhooks.ReceiveAsync(url, 2))[1].Id);
        Assert.Equal(HttpStatusCode.OK, (await frontend.Http.ReadAsync("/health/ready")).StatusCode);
        await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7202))).AnswerAsync();
    }

    [Fact]
    public async Task Full_memory_of_queues_refuses_new_requests_until_there_is_room()
    {
        var states = Enumerable.Range(0, 12).Select(i => (RedisKey)Keys.State($"large-{i}")).ToArray();
        foreach (var state in states)
        {
            await frontend.Redis.HashSetAsync(state, "data", new byte[Megabyte]);
            await frontend.Redis.KeyExpireAsync(state, TimeSpan.FromMinutes(5));
        }

        var seed = 7300;
        await Eventually.Async(async () =>
        {
            using var answer = await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(++seed)));
            var said = await answer.Content.ReadAsStringAsync();
            return answer.StatusCode == HttpStatusCode.ServiceUnavailable
                && said.Contains("storage-full", StringComparison.Ordinal)
                && said.Contains("Detection:Embedded:RedisMemoryMegabytes", StringComparison.Ordinal);
        }, Eventually.Soon, "new requests are refused");
        foreach (var state in states)
        {
            Assert.Equal(Megabyte, ((byte[]?)await frontend.Redis.HashGetAsync(state, "data"))?.Length);
        }

        await frontend.Redis.KeyDeleteAsync(states);

        await Eventually.Async(async () =>
        {
            using var answer = await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(++seed)));
            return answer.StatusCode == HttpStatusCode.OK;
        }, Eventually.Soon, "new requests are accepted again");
    }

    [Fact]
    public async Task Full_memory_evicts_answers_of_the_replaced_system_and_nothing_else()
    {
        // The answers are pictures, in hashes named by others; their memory is outside the ring.
        var hour = TimeSpan.FromHours(1);
        var queue = Keys.Queue("waits@2");
        await frontend.Redis.ListRightPushAsync(queue, TestPictures.ImageKey("waits"u8));
        await frontend.Redis.KeyExpireAsync(queue, hour);
        await frontend.Redis.ListRightPushAsync("imageQueue", "pushed");
        await frontend.Redis.KeyExpireAsync("imageQueue", hour);
        var answers = Enumerable.Range(0, 2 * SmallProcess.Megabytes).Select(i => (RedisKey)$"answer-{i}").ToArray();
        foreach (var answer in answers)
        {
            await frontend.Redis.HashSetAsync(answer, "consultOut", new byte[Megabyte]);
            await frontend.Redis.KeyExpireAsync(answer, TimeSpan.FromMinutes(1));
            await Task.Delay(TimeSpan.FromMilliseconds(40), TestContext.Current.CancellationToken);
        }

        Assert.False(await frontend.Redis.KeyExistsAsync(answers[0]));
        Assert.Equal(Megabyte, ((byte[]?)await frontend.Redis.HashGetAsync(answers[^1], "consultOut"))?.Length);
        Assert.Equal(1, await frontend.Redis.ListLengthAsync(queue));
        Assert.Equal("pushed", await frontend.Redis.ListGetByIndexAsync("imageQueue", 0));
        await frontend.Redis.KeyDeleteAsync([.. answers, queue, "imageQueue"]);
        await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7601))).AnswerAsync();
    }

    [Fact]
    public async Task Another_process_joins_with_both_addresses()
    {
        await using var joined = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = frontend.RedisConnectionString,
            ["ConnectionStrings__pictures"] = frontend.PicturesConnectionString,
        });
        await joined.ReadyAsync();
        var picture = TestPictures.Unique(7401);

        var there = await joined.Http.PostAsync(Asking.Form(picture)).AnswerAsync();

        Assert.NotEmpty(there.GetProperty("boxes").EnumerateArray());
        var here = await frontend.Http.ReadAsync($"/v1/detections/{TestPictures.ImageKey(picture)}").AnswerAsync();
        Assert.Equal(Objects(there), Objects(here));
    }

    [Theory]
    [InlineData("Detection__Embedded__PictureMemoryMegabytes", "16", "PictureMemoryMegabytes")]
    [InlineData("Detection__Client__MaxPictureBytes", "600000000", "PictureMemoryMegabytes' is 512")]
    public async Task Memory_smaller_than_one_picture_stops_the_start(string name, string value, string said)
    {
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?> { [DetectionSettings.Redis] = null, [name] = value });

        await process.Process.ExitAsync(TimeSpan.FromSeconds(60));
        Assert.Contains(said, process.Process.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*2\r\n$3\r\nGET\r\n$1\r\nx\r\n", "-NOAUTH")]
    [InlineData("*2\r\n$4\r\nAUTH\r\n$5\r\nwrong\r\n*2\r\n$3\r\nGET\r\n$1\r\nx\r\n", "-WRONGPASS")]
    [InlineData("*5\r\n$13\r\nPICTURE.STORE\r\n$1\r\nx\r\n$5\r\n10000\r\n$0\r\n\r\n$2000000000\r\n", "")]
    [InlineData("*2000000000\r\n", "")]
    [InlineData("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n*5\r\n$13\r\nPICTURE.STORE\r\n$1\r\nx\r\n$5\r\n10000\r\n$0\r\n\r\n$1\r\ny\r\n", "")]
    public async Task Connection_without_password_reads_and_writes_no_picture(string said, string answer)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, frontend.PicturePort);
        await socket.SendAsync(Encoding.ASCII.GetBytes(said));
        socket.Shutdown(SocketShutdown.Send);
        var received = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var read)
            {
                received.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            // Closed at once, because more bytes had arrived than the server read.
        }

        Assert.StartsWith(answer, received.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("+OK", received.ToString(), StringComparison.Ordinal);
        Assert.False(await frontend.Pictures.KeyExistsAsync("x"));
    }

    private static string Objects(JsonElement answer) => answer.GetProperty("boxes").GetRawText();

    private static RedisKey Name() => Keys.Picture(TestPictures.ImageKey(Encoding.ASCII.GetBytes($"memory {Interlocked.Increment(ref _next)}")));

    /// <summary>Stores a picture as a client does; <see langword="null"/> when the memory is full.</summary>
    private async Task<RedisKey?> StoreAsync(RedisKey key, int bytes, int seconds = 30)
    {
        try
        {
            var stored = await frontend.Pictures.ExecuteAsync("PICTURE.STORE", key, seconds * 1000, "", new byte[bytes]);
            return stored.IsNull ? throw new InvalidOperationException("It is there.") : key;
        }
        catch (RedisServerException e) when (e.Message.StartsWith("OOM ", StringComparison.Ordinal))
        {
            return null;
        }
    }

    private async Task<bool> KeepAsync(RedisKey key, string request, int milliseconds = 120_000) =>
        (bool)await frontend.Pictures.ExecuteAsync("PICTURE.KEEP", key, milliseconds.ToString(CultureInfo.InvariantCulture), request);

    private Task<RedisResult> ReleaseAsync(RedisKey key, string request) => frontend.Pictures.ExecuteAsync("PICTURE.RELEASE", key, request);
}
