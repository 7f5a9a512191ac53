using System.Globalization;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Embedded;

/// <summary>Reported defects of Garnet (issues of microsoft/garnet), tried on the embedded server as the product uses it.</summary>
public sealed class GarnetReportTests(SmallProcess frontend) : IClassFixture<SmallProcess>
{
    private const int Megabyte = 1024 * 1024;

    private static readonly RedisKeys Keys = new();

    /// <summary>Issue 875: a key that is incremented after its expiry had garbage in it. The queue keeps a caller's debt of turns in such a key.</summary>
    [Fact]
    public async Task A_counter_that_expired_begins_anew()
    {
        const string counter = "report:counter";
        await frontend.Redis.StringIncrementAsync(counter, 41);
        await frontend.Redis.KeyExpireAsync(counter, TimeSpan.FromMilliseconds(50));
        await GoneAsync(counter);

        Assert.Equal(0, await frontend.Redis.StringIncrementAsync(counter, 0));
        Assert.Equal("0", await frontend.Redis.StringGetAsync(counter));
        Assert.Equal(7, await frontend.Redis.StringIncrementAsync(counter, 7));
        Assert.Null(await frontend.Redis.KeyTimeToLiveAsync(counter));
        await frontend.Redis.KeyDeleteAsync(counter);
    }

    /// <summary>Issue 342: a value that was written over an expired list, set, hash or sorted set was lost. A queue expires an hour after its last item.</summary>
    [Fact]
    public async Task Write_over_an_expired_object_is_read_back()
    {
        RedisKey[] objects = ["report:list", "report:set", "report:hash", "report:sorted"];
        await WriteAsync("old");
        foreach (var key in objects)
        {
            await frontend.Redis.KeyExpireAsync(key, TimeSpan.FromMilliseconds(50));
        }

        foreach (var key in objects)
        {
            await GoneAsync(key);
        }

        await WriteAsync("new");

        Assert.Equal(["new"], await frontend.Redis.ListRangeAsync(objects[0]));
        Assert.Equal(["new"], await frontend.Redis.SetMembersAsync(objects[1]));
        Assert.Equal([new HashEntry("new", 1)], await frontend.Redis.HashGetAllAsync(objects[2]));
        Assert.Equal(["new"], await frontend.Redis.SortedSetRangeByRankAsync(objects[3]));
        await frontend.Redis.KeyDeleteAsync(objects);

        async Task WriteAsync(string value)
        {
            await frontend.Redis.ListRightPushAsync(objects[0], value);
            await frontend.Redis.SetAddAsync(objects[1], value);
            await frontend.Redis.HashSetAsync(objects[2], value, 1);
            await frontend.Redis.SortedSetAddAsync(objects[3], value, 1);
        }
    }

    /// <summary>Issue 2092: a list in the old part of the memory became a string of four bytes when items were moved from it. A claim moves items.</summary>
    [Fact]
    public async Task Items_are_moved_from_old_lists_in_their_order()
    {
        const int lists = 20;
        const int items = 50;
        for (var list = 0; list < lists; list++)
        {
            await frontend.Redis.ListRightPushAsync(From(list), [.. Enumerable.Range(0, items).Select(item => (RedisValue)item)]);
            await frontend.Redis.ListRightPushAsync(To(list), "first");
        }

        await FillAsync("moved", SmallProcess.Megabytes * 3 / 4);
        await Task.WhenAll(Enumerable.Range(0, lists).Select(async list =>
        {
            for (var item = 0; item < items; item++)
            {
                Assert.Equal(item, await frontend.Redis.ListMoveAsync(From(list), To(list), ListSide.Left, ListSide.Right));
            }
        }));

        for (var list = 0; list < lists; list++)
        {
            Assert.False(await frontend.Redis.KeyExistsAsync(From(list)));
            Assert.Equal(RedisType.List, await frontend.Redis.KeyTypeAsync(To(list)));
            RedisValue[] moved = ["first", .. Enumerable.Range(0, items).Select(item => (RedisValue)item)];
            Assert.Equal(moved, await frontend.Redis.ListRangeAsync(To(list)));
            await frontend.Redis.KeyDeleteAsync(To(list));
        }

        static RedisKey From(int list) => $"detection:{{report@1}}:queue:{list}";
        static RedisKey To(int list) => $"detection:{{report@1}}:inflight:{list}";
    }

    /// <summary>Issues 641 and 151: a scan with a large count ended the server, and names of expired objects stayed in scans.</summary>
    [Fact]
    public async Task Scan_of_any_count_ends_and_returns_no_expired_key()
    {
        await frontend.Redis.HashSetAsync("report:scanned", "a", 1);
        await frontend.Redis.KeyExpireAsync("report:scanned", TimeSpan.FromMilliseconds(50));
        await FillAsync("scanned", 4);

        foreach (var count in (int[])[1, 1000, 1_000_000, 100_000_000])
        {
            await Eventually.Async(async () =>
            {
                var reply = (RedisResult[])(await frontend.Redis.ExecuteAsync("SCAN", "0", "MATCH", "report:scanned", "COUNT", count.ToString(CultureInfo.InvariantCulture)))!;
                return ((RedisResult[])reply[1]!).Length == 0;
            }, Eventually.Soon, "the expired key is in no scan");
        }

        await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7501))).AnswerAsync();
    }

    /// <summary>Issues 630, 1015, 1701 and 610: memory grew while the same keys were written, as objects or as large values that expire.</summary>
    [Fact]
    public async Task Repeated_writes_of_a_key_use_no_more_memory()
    {
        var value = new byte[2 * Megabyte];
        for (var round = 0; round < 60; round++)
        {
            Random.Shared.NextBytes(value);
            await frontend.Redis.StringSetAsync($"report:large:{round % 3}", value, TimeSpan.FromSeconds(30));
            await frontend.Redis.HashSetAsync("report:rewritten", [new("a", value), new("b", round)]);
            await frontend.Redis.KeyExpireAsync("report:rewritten", TimeSpan.FromSeconds(30));
            Assert.Equal(value, (byte[]?)await frontend.Redis.HashGetAsync("report:rewritten", "a"));
            Assert.InRange(await ObjectsAsync() + await PagesAsync(), 0, SmallProcess.Megabytes * (long)Megabyte * 3 / 2);
        }

        await frontend.Redis.KeyDeleteAsync(["report:rewritten", "report:large:0", "report:large:1", "report:large:2"]);
        await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7502))).AnswerAsync();
    }

    private Task GoneAsync(RedisKey key) =>
        Eventually.Async(async () => !await frontend.Redis.KeyExistsAsync(key), Eventually.Soon, "it has expired");

    /// <summary>Moves everything that was written before to the old part of the memory.</summary>
    private async Task FillAsync(string name, int megabytes)
    {
        var result = new byte[4000];
        for (var i = 0; i < megabytes * Megabyte / result.Length; i++)
        {
            await frontend.Redis.StringSetAsync(
                Keys.Result(new RequestKey($"{name}@1", TestPictures.ImageKey(BitConverter.GetBytes(i)))), result, TimeSpan.FromMinutes(1), When.Always,
                i % 500 == 0 ? CommandFlags.None : CommandFlags.FireAndForget);
        }

        await frontend.Redis.PingAsync();
    }

    private Task<long> ObjectsAsync() => StoreAsync("Log.CurrentHeapSizeBytes");

    private Task<long> PagesAsync() => StoreAsync("Log.CurrentMemorySizeBytes");

    private async Task<long> StoreAsync(string name)
    {
        var line = ((string)(await frontend.Redis.ExecuteAsync("INFO", "store"))!).Split('\n').First(line => line.Contains(name, StringComparison.Ordinal));
        return long.Parse(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);
    }
}
