using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Detection.Inference.Pictures;
using Detection.Objects;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Tests.Batching;

public sealed class BatcherTests : SiloTest
{

    [Fact]
    public async Task Batches_form_while_the_device_is_busy()
    {
        var device = new GatedDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device);
        var first = Client.DetectAsync(TestPictures.Unique(1), Patient);
        await Eventually.Async(() => device.Batches.Count == 1, Eventually.Soon, "the device is busy with one picture");

        var others = Enumerable.Range(2, 40).Select(i => Client.DetectAsync(TestPictures.Unique(i), Patient)).ToList();
        await using var redis = await Redis.ConnectAsync();
        await Eventually.Async(
            async () => await redis.GetDatabase().ListLengthAsync(Keys.Queue(await ModelAsync())) == 40,
            Eventually.Soon,
            "the others wait");
        device.Open();
        await Task.WhenAll(others.Append(first));

        Assert.Equal([1, 32, 8], device.Batches);
    }

    [Fact]
    public async Task Costly_pictures_of_one_caller_do_not_delay_a_photo_of_another()
    {
        // 49 megapixels with 50 scans: each costs as much as about 800 photos.
        var device = new GatedDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device);
        var costly = BlankPictures.Jpeg(7000, 7000, scans: 50);
        var cost = PictureCost.Of(costly);
        var (alice, bob) = (Patient with { Caller = "alice" }, Patient with { Caller = "bob" });
        var first = Client.DetectAsync(TestPictures.Unique(50), alice);
        await Eventually.Async(() => device.Batches.Count == 1, Eventually.Soon, "the device is busy with one picture");
        var flood = Enumerable.Range(0, 20).Select(i => Client.DetectAsync((byte[])[.. costly, (byte)i], alice)).ToList();
        await using var redis = await Redis.ConnectAsync();
        var queue = Keys.Queue(await ModelAsync(), "alice");
        await Eventually.Async(async () => await redis.GetDatabase().ListLengthAsync(queue) == 20, Eventually.Soon, "the costly ones wait");
        device.LetOneEnd();
        await Eventually.Async(() => device.Batches.Count == 2, Eventually.Soon, "the device is busy with the first of the costly ones");
        var photo = Client.DetectAsync(TestPictures.Unique(51), bob);
        await Eventually.Async(async () => await redis.GetDatabase().ListLengthAsync(Keys.Queue(await ModelAsync(), "bob")) == 1, Eventually.Soon, "the photo waits");

        // The photo is claimed in one of the next two batches: both callers have had the same number of turns, and either may be next.
        for (var batch = 3; batch <= 4; batch++)
        {
            device.LetOneEnd();
            await Eventually.Async(() => device.Batches.Count == batch, Eventually.Soon, "the next ones are on the device");
        }

        var most = Math.Max(1, 128 * Environment.ProcessorCount / cost);
        Assert.Equal(0, await redis.GetDatabase().ListLengthAsync(Keys.Queue(await ModelAsync(), "bob")));
        Assert.InRange(await redis.GetDatabase().ListLengthAsync(queue), 20 - (3 * most), 19);
        device.Open();
        await Task.WhenAll([first, photo, .. flood]);
        Assert.All(device.Batches.Skip(1), size => Assert.InRange(size, 1, most + 1));
    }

    [Fact]
    public async Task Stuck_device_is_reported_and_others_take_over()
    {
        var stuck = new GatedDevice("gated:stuck");
        await using var silo = await TestSilo.StartAsync(
            Redis, stuck, ("Detection:Batching:StuckAfter", "00:00:02"), ("Detection:Batching:DrainTimeout", "00:00:02"), ("Detection:Queue:Lease", "00:00:01"));
        var waiting = Client.DetectAsync(TestPictures.Unique(1), Patient);
        await Eventually.Async(() => stuck.Batches.Count == 1, Eventually.Soon, "the picture is on the device");

        await Eventually.Async(
            async () => (await Reports.GetSilosAsync()).SelectMany(report => report.Batchers).Any(batcher => batcher.State == BatcherState.Stuck),
            Eventually.Soon,
            "the batcher is reported stuck");
        var health = await silo.HealthAsync();
        Assert.StartsWith("Unhealthy", health, StringComparison.Ordinal);
        Assert.Contains("stuck with 1 pictures", health, StringComparison.Ordinal);
        Assert.False(waiting.IsCompleted);

        var sound = new GatedDevice("gated:sound");
        sound.Open();
        await using var other = await TestSilo.StartAsync(Redis, sound);
        var answer = await waiting;

        Assert.Equal(AnswerSource.Computed, answer.Source);
        Assert.Single(sound.Batches);

        // The late result of the stuck device is not used: the published result stays.
        stuck.Open();
        Assert.Equal(answer.Objects, (await Client.FindAsync(answer.ImageKey))!.Objects);
    }

    [Theory]
    [InlineData(":callers", ":inflight:", ":lease:", ":attempts")]
    [InlineData("GET", "detection:picture:")]
    public async Task Items_claimed_while_the_connection_breaks_are_done(params string[] request)
    {
        var device = new GatedDevice("gated:0");
        await using var proxy = new RedisProxy(Redis);
        await using var silo = await TestSilo.StartAsync(
            Redis, device, ("ConnectionStrings:redis", proxy.ConnectionString), ("Detection:Queue:Lease", "00:10:00"));
        await Client.SubmitAsync(TestPictures.Unique(1));
        await Eventually.Async(() => device.Batches.Count == 1, Eventually.Soon, "the device is busy with one picture");
        var ticket = await Client.SubmitAsync(TestPictures.Unique(2));

        // The second is claimed, or its picture is fetched, but the answer is lost. The lease would last for minutes.
        proxy.HoldAnswersFrom(sent => request.All(word => sent.Contains(word, StringComparison.Ordinal)));
        device.Open();
        await Eventually.Async(() => proxy.IsHolding, Eventually.Soon, "the answer is held");
        await using var redis = await Redis.ConnectAsync();
        await Eventually.Async(
            async () => await redis.GetDatabase().ListLengthAsync(Keys.Queue(await ModelAsync())) == 0, Eventually.Soon, "the second is claimed");
        proxy.Cut();

        await Eventually.Async(async () => await Client.FindAsync(ticket.ImageKey) is not null, Eventually.Soon, "the second is done");
    }

    [Fact]
    public async Task Caller_is_charged_the_cost_in_the_header_of_its_picture()
    {
        var device = new GatedDevice("gated:0");
        device.Open();
        await using var silo = await TestSilo.StartAsync(Redis, device);
        byte[] header = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 0, 0, 0, 13, .. "IHDR"u8, 0, 0, 0x13, 0x88, 0, 0, 0x13, 0x88, 8, 2, 0, 0, 0];

        await Client.DetectAsync(header, Patient with { Caller = "costly" });
        await Client.DetectAsync(TestPictures.Unique(1), Patient with { Caller = "cheap" });

        // 25 megapixels of three bytes, minus the turn that the picture had.
        await using var redis = await Redis.ConnectAsync();
        var callers = Keys.Callers(await ModelAsync());
        await Eventually.Async(async () => await redis.GetDatabase().StringGetAsync($"{callers}:costly") == 74, Eventually.Soon, "he owes");
        Assert.False(await redis.GetDatabase().KeyExistsAsync($"{callers}:cheap"));
    }

    [Fact]
    public async Task Settle_without_an_answer_is_repeated_and_reported()
    {
        var device = new GatedDevice("gated:0");
        await using var proxy = new RedisProxy(Redis);
        await using var silo = await TestSilo.StartAsync(Redis, device, ("ConnectionStrings:redis", proxy.ConnectionString));
        await Client.SubmitAsync(TestPictures.Unique(1));
        await Eventually.Async(() => device.Batches.Count == 1, Eventually.Soon, "the device is busy with one picture");

        proxy.HoldAnswersFrom(static sent => sent.Contains(":answers:", StringComparison.Ordinal));
        device.Open();
        await Eventually.Async(() => proxy.IsHolding, Eventually.Soon, "the answer is held");
        proxy.Cut();

        // Only an item that the batcher settled itself counts as completed and is reported to the request.
        await Eventually.Async(
            async () => (await Reports.GetSilosAsync()).SelectMany(report => report.Batchers).Sum(batcher => batcher.Completed) == 1,
            Eventually.Soon,
            "the picture counts as completed");
    }

    [Fact]
    public async Task Failing_batch_is_retried_and_fails_after_the_last_attempt()
    {
        var device = new GatedDevice("gated:0") { Failures = 1 };
        device.Open();
        await using var silo = await TestSilo.StartAsync(Redis, device, ("Detection:Queue:Lease", "00:00:01"));

        Assert.Equal(AnswerSource.Computed, (await Client.DetectAsync(TestPictures.Unique(1), Patient)).Source);
        Assert.Equal([1, 1], device.Batches);

        device.Failures = int.MaxValue;
        var failure = await Assert.ThrowsAsync<DetectionException>(() => Client.DetectAsync(TestPictures.Unique(2), Patient));
        Assert.Equal(FailureReason.Inference, failure.Reason);
        Assert.Equal([1, 1, 1, 1, 1], device.Batches);

        // The test picture succeeded meanwhile: the device serves, and the picture is not refused.
        device.Failures = 0;
        Assert.Equal(AnswerSource.Computed, (await Client.DetectAsync(TestPictures.Unique(2), Patient)).Source);
        Assert.Equal(1, device.Loads);
    }

    [Fact]
    public async Task Wrong_bytes_from_Redis_are_not_published_and_the_picture_is_read_again()
    {
        var device = new GatedDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device);
        var first = Client.DetectAsync(TestPictures.Unique(1), Patient);
        await Eventually.Async(() => device.Batches.Count == 1, Eventually.Soon, "the device is busy with one picture");
        var second = Client.DetectAsync(TestPictures.Unique(2), Patient);
        await using var redis = await Redis.ConnectAsync();
        var key = Keys.Picture(TestPictures.ImageKey(TestPictures.Unique(2)));
        await Eventually.Async(async () => await redis.GetDatabase().KeyExistsAsync(key), Eventually.Soon, "the second is stored");

        // As when a client gets the value of another key, because it lost the order of answers on its connection.
        await redis.GetDatabase().StringSetAsync(key, TestPictures.Unique(3));
        device.Open();

        // The client sends the picture again after the cluster has removed the wrong bytes.
        Assert.Equal(AnswerSource.Computed, (await second).Source);
        await first;
        Assert.Equal(4, device.Batches.Count - 1);
        Assert.Equal(1, device.Loads);
        var report = Assert.Single((await Reports.GetSilosAsync()).SelectMany(one => one.Batchers));
        Assert.Equal((DeviceHealth.Serving, 0), (report.Health, report.DeviceErrors));
        Assert.StartsWith("Healthy", await silo.HealthAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Accepted_request_survives_an_outage_of_Redis()
    {
        RedisServer.SkipUnlessInstalled();
        var device = new GatedDevice("gated:0");
        await using var silo = await TestSilo.StartAsync(Redis, device, ("Detection:Queue:Lease", "00:10:00"));
        var waiting = Client.DetectAsync(TestPictures.Unique(1), Patient);
        await Eventually.Async(() => device.Batches.Count == 1, Eventually.Soon, "the picture is on the device");

        // Longer than the request grain waits for the outcome before it reads Redis.
        await Redis.StopAsync();
        await Task.Delay(TimeSpan.FromSeconds(4));
        Assert.False(waiting.IsCompleted);
        await Redis.StartAgainAsync();
        device.Open();

        Assert.Equal(AnswerSource.Computed, (await waiting).Source);
    }

    [Fact]
    public async Task Silo_without_a_batcher_is_not_ready()
    {
        var device = new GatedDevice("gated:0");
        var empty = Directory.CreateTempSubdirectory("detection-no-models-").FullName;
        await using var silo = await TestSilo.StartAsync(Redis, device, ("Detection:Models:Directory", empty));

        Assert.Contains("has no batcher", await silo.HealthAsync(), StringComparison.Ordinal);
        Directory.Delete(empty);
    }
}
