using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Embedded;

/// <summary>
/// Waiting pictures of one caller cannot fill the picture memory. Of its 32 MiB one caller may hold 16, the next one 8. The tests put waiting
/// pictures there with the commands of a client and of a request that does not end; callers send theirs over HTTP.
/// </summary>
public sealed class PictureShareTests(SmallProcess frontend) : IClassFixture<SmallProcess>, IAsyncLifetime
{
    private const int Megabyte = 1024 * 1024;

    /// <summary>Several of these fit exactly into one MiB, with the overhead of the store.</summary>
    private const int JustBelowMegabyte = Megabyte - 4096;

    private static readonly RedisKeys Keys = new();
    private static int _next = 8000;

    private readonly List<RedisKey> _stored = [];

    public async ValueTask InitializeAsync() => await EmptyAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var key in _stored)
        {
            await frontend.Pictures.KeyDeleteAsync(key);
        }
    }

    [Fact]
    public async Task Caller_over_its_share_is_refused_until_its_pictures_complete_and_others_are_served()
    {
        var photo = TestPictures.Unique(8001);
        var expected = Objects(await frontend.PostAsync("alice", Asking.Bytes(photo, "image/jpeg")).AnswerAsync());
        await EmptyAsync();
        var waiting = await FillAsync("alice");
        Assert.Equal(SmallProcess.Megabytes / 2, waiting.Count);

        for (var i = 1; i <= 3; i++)
        {
            var large = Same(8001, 20 + i, 5 * Megabyte);
            var refused = await frontend.PostAsync("alice", Asking.Bytes(large, "image/jpeg")).ProblemAsync(429, "share-used");
            Assert.Contains("The queued pictures of caller 'alice' already fill", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
            await frontend.PostAsync("alice", Asking.Bytes(Same(8001, 10 + i), "image/jpeg"), "?async=true").ProblemAsync(429, "share-used");
            Assert.Equal(expected, Objects(await frontend.PostAsync("bob", Asking.Bytes(large, "image/jpeg")).AnswerAsync()));
            Assert.Equal(expected, Objects(await frontend.PostAsync("carol", Asking.Bytes(Same(8001, 30 + i), "image/jpeg")).AnswerAsync()));
        }

        // Two of them completed: there is room for their bytes and no more.
        await ReleaseAsync(waiting[0]);
        await ReleaseAsync(waiting[1]);
        Assert.Equal(expected, Objects(await frontend.PostAsync("alice", Asking.Bytes(Same(8001, 40, JustBelowMegabyte), "image/jpeg")).AnswerAsync()));
        await frontend.PostAsync("alice", Asking.Bytes(Same(8001, 41, 5 * Megabyte), "image/jpeg")).ProblemAsync(429, "share-used");
        foreach (var key in waiting)
        {
            await ReleaseAsync(key);
        }

        // Completed pictures of the caller do not count, however many there are.
        for (var i = 1; i <= 8; i++)
        {
            Assert.Equal(expected, Objects(await frontend.PostAsync("alice", Asking.Bytes(Same(8001, 50 + i, 5 * Megabyte), "image/jpeg")).AnswerAsync()));
        }
    }

    [Fact]
    public async Task Each_further_caller_has_the_same_share_of_what_the_others_leave()
    {
        var alice = await FillAsync("alice");
        var bob = await FillAsync("bob");
        var carol = await FillAsync("carol");

        Assert.Equal([16, 8, 4], [alice.Count, bob.Count, carol.Count]);

        // Callers without a name have no share: they fill the rest.
        var rest = await FillAsync("");
        Assert.Equal(4, rest.Count);

        // No caller has room. Only a caller that would have no room without the others gets share-used.
        Assert.Equal(PictureMemoryCommands.ShareUsed, await StoreAsync(Name(), "alice", JustBelowMegabyte));
        Assert.Equal(PictureMemoryCommands.Full, await StoreAsync(Name(), "bob", JustBelowMegabyte));
        Assert.Equal(PictureMemoryCommands.Full, await StoreAsync(Name(), "dave", JustBelowMegabyte));
        await ReleaseAsync(alice[0]);
        Assert.Null(await StoreAsync(Name(), "dave", JustBelowMegabyte));
    }

    [Fact]
    public async Task Full_memory_names_the_setting_to_raise()
    {
        await FillAsync("");
        var problem = await frontend.PostAsync("alice", Asking.Bytes(Same(8002, 1), "image/jpeg")).ProblemAsync(503, "storage-full");

        Assert.Contains("Detection:Embedded:PictureMemoryMegabytes", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Redis", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Picture_larger_than_the_share_is_accepted_and_the_next_one_is_refused_until_it_ends()
    {
        var first = Name();
        Assert.Null(await StoreAsync(first, "alice", 20 * Megabyte));
        await KeepAsync(first);

        Assert.Equal(PictureMemoryCommands.ShareUsed, await StoreAsync(Name(), "alice", 20 * Megabyte));
        Assert.Equal(PictureMemoryCommands.ShareUsed, await StoreAsync(Name(), "alice", 100));
        Assert.Null(await StoreAsync(Name(), "bob", 10 * Megabyte));
        await ReleaseAsync(first);
        Assert.Null(await StoreAsync(Name(), "alice", 20 * Megabyte));
    }

    [Fact]
    public async Task The_picture_of_a_request_whose_webhook_is_refused_takes_no_share()
    {
        for (var i = 1; i <= 5; i++)
        {
            var refused = Asking.Bytes(Same(8001, 60 + i, 5 * Megabyte), "image/jpeg");
            await frontend.PostAsync("alice", refused, "?async=true&webhook=http%3A%2F%2F127.0.0.1%3A1%2Fh").ProblemAsync(400, "webhook-refused");
        }

        await frontend.PostAsync("alice", Asking.Bytes(Same(8001, 70, 5 * Megabyte), "image/jpeg")).AnswerAsync();
    }

    [Fact]
    public async Task Memory_of_expired_and_refused_pictures_is_freed()
    {
        var expiring = Name();
        Assert.Null(await StoreAsync(expiring, "alice", 16 * Megabyte, milliseconds: 3000));
        await KeepAsync(expiring, milliseconds: 3000);
        Assert.Equal(PictureMemoryCommands.ShareUsed, await StoreAsync(Name(), "alice", 100));
        await Eventually.Async(
            async () => await StoreAsync(Name(), "alice", 16 * Megabyte) is null, Eventually.Soon, "the expired one is given back");

        var refused = await FillAsync("bob", kept: false);
        Assert.NotEmpty(refused);
        foreach (var key in refused)
        {
            Assert.Equal(1, (int)await frontend.Pictures.ExecuteAsync("PICTURE.REMOVE", key));
        }

        Assert.Equal(refused.Count, (await FillAsync("bob")).Count);
    }

    [Fact]
    public async Task Picture_of_two_callers_counts_once_for_each_while_a_request_needs_it()
    {
        var shared = Name();
        Assert.Null(await StoreAsync(shared, "alice", 10 * Megabyte));
        await KeepAsync(shared, "one@1/8");

        // The picture uses no further memory: a caller over its share may bring it again, as often as it likes.
        Assert.Equal("there", await StoreAsync(shared, "alice", 10 * Megabyte));
        Assert.Equal("there", await StoreAsync(shared, "bob", 10 * Megabyte));
        Assert.Equal("there", await StoreAsync(shared, "bob", 10 * Megabyte));
        await KeepAsync(shared, "two@1/8");
        Assert.Equal(PictureMemoryCommands.ShareUsed, await StoreAsync(Name(), "alice", 7 * Megabyte));
        Assert.Equal(PictureMemoryCommands.ShareUsed, await StoreAsync(Name(), "bob", 7 * Megabyte));

        await ReleaseAsync(shared, "one@1/8");
        Assert.Equal(PictureMemoryCommands.ShareUsed, await StoreAsync(Name(), "bob", 7 * Megabyte));
        await ReleaseAsync(shared, "two@1/8");
        Assert.Equal(16, (await FillAsync("alice")).Count);
        Assert.Equal(8, (await FillAsync("bob")).Count);
    }

    [Fact]
    public async Task Picture_whose_upload_stops_releases_its_memory()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, frontend.PicturePort);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"*2\r\n$4\r\nAUTH\r\n${DetectionSettings.SomePassword.Length}\r\n{DetectionSettings.SomePassword}\r\n"
            + $"*5\r\n$13\r\nPICTURE.STORE\r\n$4\r\nhalf\r\n$5\r\n30000\r\n$5\r\nalice\r\n${16 * Megabyte}\r\nabc"));

        // A picture that can never fit is no caller's fault; a picture that does not fit beside the caller's own is.
        await Eventually.Async(
            async () => await StoreAsync(Name(), "alice", 33 * Megabyte) == PictureMemoryCommands.ShareUsed, Eventually.Soon, "what is on its way counts");

        socket.Close();

        await Eventually.Async(
            async () => await StoreAsync(Name(), "alice", 16 * Megabyte) is null, Eventually.Soon, "it is given back");
    }

    [Fact]
    public async Task Pictures_of_concurrent_connections_do_not_exceed_the_share()
    {
        var connections = await ConnectAsync(4);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => StoreAsync(connections[i % 4].GetDatabase(), Name(), "alice", JustBelowMegabyte)));

        Assert.Equal(16, outcomes.Count(static outcome => outcome is null));
        Assert.Equal(24, outcomes.Count(static outcome => outcome == PictureMemoryCommands.ShareUsed));
        await EndAsync(connections);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Counts_match_the_pictures_after_random_operations(int seed)
    {
        // The same pictures of two callers over four connections, in any order.
        string[] callers = ["alice", "bob", ""];
        var names = Enumerable.Range(0, 6).Select(_ => Name()).ToArray();
        var connections = await ConnectAsync(4);
        await Task.WhenAll(connections.Select(async (connection, number) =>
        {
            var random = new Random((seed * 100) + number);
            var pictures = connection.GetDatabase();
            for (var i = 0; i < 120; i++)
            {
                var name = names[random.Next(names.Length)];
                var request = $"{random.Next(2)}@1/8";
                await (random.Next(7) switch
                {
                    0 or 1 => StoreAsync(pictures, name, callers[random.Next(callers.Length)], random.Next(1, 3 * Megabyte / 2), random.Next(1, 200)),
                    2 => pictures.ExecuteAsync("PICTURE.KEEP", name, random.Next(1, 500), request),
                    3 => pictures.ExecuteAsync("PICTURE.RELEASE", name, request),
                    4 => pictures.ExecuteAsync("PICTURE.REMOVE", name),
                    5 => pictures.KeyDeleteAsync(name),
                    _ => (Task)pictures.StringGetAsync(name),
                });
            }
        }));
        await EndAsync(connections);
        foreach (var name in names)
        {
            await frontend.Pictures.KeyDeleteAsync(name);
        }

        await EmptyAsync();

        Assert.Equal(16, (await FillAsync("alice")).Count);
        Assert.Equal(8, (await FillAsync("bob")).Count);
        Assert.Equal(8, (await FillAsync("")).Count);
    }

    [Fact]
    public async Task Url_of_a_caller_over_its_share_is_refused_and_anothers_is_fetched()
    {
        var photo = Same(8003, 1, 2 * Megabyte);
        await FillAsync("alice");
        var url = frontend.PictureHost.Url("large.jpg", photo);

        var refused = await frontend.PostAsync("alice", JsonContent.Create(new { url })).ProblemAsync(429, "share-used");

        Assert.Contains("memory", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await frontend.PostAsync("bob", JsonContent.Create(new { url })).AnswerAsync();
    }

    [Fact]
    public async Task Cached_answer_is_returned_to_a_caller_over_its_share()
    {
        var photo = TestPictures.Unique(8004);
        var expected = Objects(await frontend.PostAsync("bob", Asking.Bytes(photo, "image/jpeg")).AnswerAsync());
        await frontend.Pictures.KeyDeleteAsync(Keys.Picture(TestPictures.ImageKey(photo)));
        await FillAsync("alice");

        Assert.Equal(expected, Objects(await frontend.PostAsync("alice", Asking.Bytes(photo, "image/jpeg")).AnswerAsync()));
    }

    [Fact]
    public async Task Concurrent_callers_are_served_or_refused_for_their_own_share()
    {
        var expected = Objects(await frontend.PostAsync("bob", Asking.Bytes(Same(8005, 0), "image/jpeg")).AnswerAsync());
        var flood = Enumerable.Range(1, 24).Select(
            i => frontend.PostAsync("alice", Asking.Bytes(Same(8005, i, 3 * Megabyte), "image/jpeg"), "?async=true&timeout=60")).ToList();

        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(expected, Objects(await frontend.PostAsync("bob", Asking.Bytes(Same(8005, 100 + i, 5 * Megabyte), "image/jpeg"), "?timeout=60").AnswerAsync()));
        }

        var statuses = (await Task.WhenAll(flood)).Select(static answer => (int)answer.StatusCode).ToList();
        Assert.All(statuses, static status => Assert.True(status is 202 or 429, $"{status}"));
        Assert.Contains(202, statuses);
        await Eventually.Async(
            async () =>
            {
                using var answer = await frontend.PostAsync("alice", Asking.Bytes(Same(8005, 200 + Interlocked.Increment(ref _next), 14 * Megabyte), "image/jpeg"), "?timeout=60");
                return answer.StatusCode == HttpStatusCode.OK;
            },
            Eventually.Soon,
            "what it held is given back");
    }

    private static string Objects(JsonElement answer) => answer.GetProperty("boxes").GetRawText();

    private static RedisKey Name() => Keys.Picture(TestPictures.ImageKey(Encoding.ASCII.GetBytes($"share {Interlocked.Increment(ref _next)}")));

    /// <summary>The photo of <paramref name="seed"/>, each time with other bytes after its end.</summary>
    private static byte[] Same(int seed, int number, int leastBytes = 0) => TestPictures.Unique(seed + (number * TestPictures.PhotoCount), leastBytes);

    /// <summary>Stores pictures of a caller, each for a request that does not end, until one is refused.</summary>
    private async Task<List<RedisKey>> FillAsync(string caller, bool kept = true)
    {
        var filled = new List<RedisKey>();
        for (var key = Name(); await StoreAsync(key, caller, JustBelowMegabyte) is null; key = Name())
        {
            filled.Add(key);
            if (kept)
            {
                await KeepAsync(key);
            }
        }

        return filled;
    }

    /// <summary>Stores a picture as a client does. <see langword="null"/> when it was stored, otherwise the error.</summary>
    private Task<string?> StoreAsync(RedisKey key, string caller, int bytes, int milliseconds = 30_000) =>
        StoreAsync(frontend.Pictures, key, caller, bytes, milliseconds);

    private async Task<string?> StoreAsync(IDatabase pictures, RedisKey key, string caller, int bytes, int milliseconds = 30_000)
    {
        try
        {
            if ((await pictures.ExecuteAsync("PICTURE.STORE", key, milliseconds, caller, new byte[bytes])).IsNull)
            {
                return "there";
            }

            lock (_stored)
            {
                _stored.Add(key);
            }

            return null;
        }
        catch (RedisServerException e)
        {
            return e.Message;
        }
    }

    private async Task<ConnectionMultiplexer[]> ConnectAsync(int count) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => frontend.ConnectToPicturesAsync()));

    private static async Task EndAsync(ConnectionMultiplexer[] connections)
    {
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }
    }

    /// <summary>Waits until no request needs a picture.</summary>
    private Task EmptyAsync() => Eventually.Async(
        async () =>
        {
            var all = Name();
            return await StoreAsync(all, "", SmallProcess.Megabytes * Megabyte) is null && await frontend.Pictures.KeyDeleteAsync(all);
        },
        Eventually.Soon,
        "the memory is free");

    private async Task KeepAsync(RedisKey key, string request = "waits@1/8", int milliseconds = 120_000) =>
        Assert.True((bool)await frontend.Pictures.ExecuteAsync("PICTURE.KEEP", key, milliseconds.ToString(CultureInfo.InvariantCulture), request));

    private Task<RedisResult> ReleaseAsync(RedisKey key, string request = "waits@1/8") => frontend.Pictures.ExecuteAsync("PICTURE.RELEASE", key, request);
}
