using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SkiaSharp;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Protocols.Legacy;

/// <summary>The front end of <see cref="OneProcess"/> serves the list; the tests push and poll as the replaced system's front end does.</summary>
public sealed class LegacyQueueTests(OneProcess frontend)
{
    private const string Queue = "imageQueue";
    private const string Taken = "detection:{imageQueue}:taken:";

    [Fact]
    public async Task Pushed_item_is_answered_in_time_and_the_answer_expires()
    {
        await using var connection = await ConnectAsync();
        var redis = connection.GetDatabase();
        var photo = TestPictures.Unique(801);
        var url = frontend.Pictures.Url("queued.jpg", photo);
        var warm = await PushAsync(redis, url.ToString());
        await AnswerAsync(redis, warm);

        // A picture without a result, within the time that Spring's front end waits.
        var clock = Stopwatch.StartNew();
        var key = await PushAsync(redis, frontend.Pictures.Url("queued2.jpg", TestPictures.Unique(802)).ToString());
        var answer = await AnswerAsync(redis, key);

        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        using var picture = SKBitmap.Decode(Convert.FromBase64String(answer));
        Assert.True(picture.Width > 0);
        Assert.InRange((await redis.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));

        using var annotated = await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg"), accept: "image/jpeg");
        Assert.Equal(await annotated.Content.ReadAsByteArrayAsync(), Convert.FromBase64String(await AnswerAsync(redis, warm)));
        await Eventually.Async(async () => !await redis.KeyExistsAsync(Taken + await TakerAsync(redis)), Eventually.Soon, "nothing is held");
    }

    [Fact]
    public async Task Picture_in_base64_is_read()
    {
        await using var connection = await ConnectAsync();
        var redis = connection.GetDatabase();
        var photo = TestPictures.Unique(803);
        var plain = await PushAsync(redis, Convert.ToBase64String(photo));
        var data = await PushAsync(redis, "data:image/jpeg;base64," + Convert.ToBase64String(photo));

        Assert.Equal(await AnswerAsync(redis, plain), await AnswerAsync(redis, data));
    }

    [Fact]
    public async Task Base64_is_decoded_without_more_memory_than_its_length()
    {
        var port = LoopbackPorts.Next();
        await using var small = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["Detection__LegacyQueue"] = "true",
            [DetectionSettings.EmbeddedPassword] = DetectionSettings.SomePassword,
            ["Detection__Embedded__RedisPort"] = port.ToString(CultureInfo.InvariantCulture),
            ["Detection__Frontend__MaxBufferedBytes"] = (1 << 20).ToString(CultureInfo.InvariantCulture),
            ["Detection__Frontend__CallerBufferShare"] = "1",
        });
        await small.ReadyAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port},password={DetectionSettings.SomePassword}"));
        var redis = connection.GetDatabase();

        // A JPEG may have any bytes after its end; they make it long.
        var key = await PushAsync(redis, Convert.ToBase64String([.. TestPictures.Unique(808), .. new byte[250_000]]));

        Assert.NotEmpty(await AnswerAsync(redis, key));
    }

    [Fact]
    public async Task Item_that_cannot_be_answered_writes_nothing_and_stops_nothing()
    {
        await using var connection = await ConnectAsync();
        var redis = connection.GetDatabase();
        await redis.StringSetAsync("legacy-test-string", "mine");
        var members = await redis.HashGetAllAsync("detection:members");
        string[] bad =
        [
            "no json", "[]", "null", "{}", "{\"imageKey\":7,\"imageUrl\":\"x\"}", "{\"imageKey\":\"legacy-nothing\"}",
            Item("legacy-bad-url", "http://"), Item("legacy-closed", "http://169.254.169.254/latest"), Item("legacy-no-picture", "!!!"),
            Item("legacy-gone", frontend.Pictures.Url("gone.jpg", null).ToString()),
            Item("legacy-file", "file:///etc/passwd"),
            Item("detection:members", frontend.Pictures.Url("q.jpg", TestPictures.Unique(804)).ToString()),
            Item(Queue, frontend.Pictures.Url("q.jpg", TestPictures.Unique(804)).ToString()),
            Item("legacy-test-string", frontend.Pictures.Url("q.jpg", TestPictures.Unique(804)).ToString()),
        ];
        foreach (var item in bad)
        {
            await redis.ListLeftPushAsync(Queue, item);
        }

        var last = await PushAsync(redis, frontend.Pictures.Url("q.jpg", TestPictures.Unique(804)).ToString());
        await AnswerAsync(redis, last);

        await Eventually.Async(
            async () => await redis.ListLengthAsync(Queue) == 0 && await redis.ListLengthAsync(Taken + await TakerAsync(redis)) == 0,
            Eventually.Soon,
            "all items are dealt with");
        foreach (var key in new[] { "legacy-nothing", "legacy-bad-url", "legacy-closed", "legacy-no-picture", "legacy-gone", "legacy-file" })
        {
            Assert.False(await redis.KeyExistsAsync(key), key);
        }

        Assert.Equal("mine", await redis.StringGetAsync("legacy-test-string"));
        Assert.Null(await redis.KeyTimeToLiveAsync("legacy-test-string"));
        Assert.Equal(members.Select(entry => entry.Name).Order(), (await redis.HashGetAllAsync("detection:members")).Select(entry => entry.Name).Order());
    }

    [Fact]
    public async Task Items_of_an_expired_lease_are_answered_and_dropped_after_too_many_attempts()
    {
        await using var connection = await ConnectAsync();
        var redis = connection.GetDatabase();
        const string Dead = "0123456789abcdef";
        var url = frontend.Pictures.Url("held.jpg", TestPictures.Unique(805)).ToString();
        var deadly = Item("legacy-deadly", url);
        var hash = (string)(await redis.ScriptEvaluateAsync("return redis.sha1hex(ARGV[1])", values: [deadly]))!;
        await redis.HashSetAsync("detection:{imageQueue}:returns", hash, 3);
        await redis.ListLeftPushAsync(Taken + Dead, [Item("legacy-held", url), deadly]);
        await redis.SetAddAsync("detection:{imageQueue}:takers", Dead);

        await AnswerAsync(redis, "legacy-held");

        await Eventually.Async(async () => !await redis.SetContainsAsync("detection:{imageQueue}:takers", Dead), Eventually.Soon, "the dead one is forgotten");
        Assert.False(await redis.KeyExistsAsync(Taken + Dead));
        Assert.False(await redis.KeyExistsAsync("legacy-deadly"));
    }

    [Fact]
    public async Task Kill_during_a_batch_loses_nothing()
    {
        const int Items = 40;
        await using var server = await RedisServer.StartAsync();
        var settings = new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = server.ConnectionString,
            ["Detection__LegacyQueue"] = "true",
            ["Detection__Legacy__Lease"] = "00:00:01",
            ["Detection__Legacy__MaxConcurrent"] = "8",
            ["Detection__Legacy__Deadline"] = "00:01:00",
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = frontend.Pictures.Port.ToString(CultureInfo.InvariantCulture),
        };
        await using var first = DetectionProcess.StartFrontend(settings, "first");
        await using var multiplexer = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var redis = multiplexer.GetDatabase();

        // Without a silo no item can be answered: the items are taken and wait. Then their taker is killed.
        var keys = new List<string>();
        for (var i = 0; i < Items; i++)
        {
            keys.Add(await PushAsync(redis, frontend.Pictures.Url($"k{i}.jpg", TestPictures.Unique(810 + (i % 4))).ToString()));
        }

        await Eventually.Async(async () => await redis.ListLengthAsync(Queue) == Items - 8, TimeSpan.FromSeconds(60), "items are taken");
        await first.KillAsync();

        await using var silo = DetectionProcess.StartSilo(settings);
        await using var second = DetectionProcess.StartFrontend(settings, "second");
        foreach (var key in keys)
        {
            await AnswerAsync(redis, key, TimeSpan.FromSeconds(60));
        }

        Assert.Equal(0, await redis.ListLengthAsync(Queue));
        Assert.Equal(0, await second.StopAsync());
        Assert.Equal(0, await redis.SetLengthAsync("detection:{imageQueue}:takers"));
    }

    // The order of properties is that of fastjson.
    private static string Item(string key, string url) => $$"""{"imageKey":{{JsonSerializer.Serialize(key)}},"imageUrl":{{JsonSerializer.Serialize(url)}}}""";

    private static async Task<string> PushAsync(IDatabase redis, string url)
    {
        var key = Guid.NewGuid().ToString();
        await redis.ListLeftPushAsync(Queue, Item(key, url));
        return key;
    }

    private static async Task<string> AnswerAsync(IDatabase redis, string key, TimeSpan? limit = null)
    {
        RedisValue answer = default;
        await Eventually.Async(async () => (answer = await redis.HashGetAsync(key, "consultOut")).HasValue, limit ?? TimeSpan.FromSeconds(20), $"{key} is answered");
        return answer!;
    }

    private static async Task<string> TakerAsync(IDatabase redis) => Assert.Single(await redis.SetMembersAsync("detection:{imageQueue}:takers"))!;

    private Task<ConnectionMultiplexer> ConnectAsync() =>
        ConnectionMultiplexer.ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{frontend.RedisPort},password={DetectionSettings.SomePassword}"));
}
