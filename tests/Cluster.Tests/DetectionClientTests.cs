using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Objects;

namespace Detection.Cluster.Tests;

/// <summary>One silo with the CPU, used through the client library.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    public DetectionCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0);

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

public sealed class DetectionClientTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>, IAsyncLifetime
{
    private static readonly RedisKeys Keys = new();
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };
    private static int _next = 10_000;

    private readonly TestClient _client = new(fixture.Cluster.Redis);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    [Fact]
    public async Task Finds_the_person_and_the_phone()
    {
        var picture = await File.ReadAllBytesAsync(TestPictures.Path("tourist.webp"));

        var answer = await _client.Detection.DetectAsync(picture, Patient);

        Assert.Equal((1200, 800), (answer.Width, answer.Height));
        Assert.Equal(TestPictures.ImageKey(picture), answer.ImageKey);
        Assert.StartsWith("nanodet-g@", answer.Model, StringComparison.Ordinal);
        Assert.Equal(["person", "cell phone"], answer.Objects.Select(answer.LabelOf));
        Assert.All(answer.Objects, found => Assert.InRange(found.Score, answer.Threshold, 1));
    }

    [Fact]
    public async Task A_stream_and_bytes_are_the_same_picture()
    {
        var picture = NewPicture();
        var first = await _client.Detection.DetectAsync(picture, Patient);

        var again = await _client.Detection.DetectAsync(new MemoryStream(picture), Patient);

        Assert.Equal(AnswerSource.Computed, first.Source);
        Assert.Equal(AnswerSource.Cached, again.Source);
        Assert.Equal(first.Objects, again.Objects);
    }

    [Fact]
    public async Task Unresponsive_silo_does_not_expire_the_request_that_is_watched()
    {
        var (picture, later) = (NewPicture(), NewPicture());
        await _client.Detection.DetectAsync(picture, Patient);
        var ticket = await _client.Detection.SubmitAsync(later);
        var brief = new DetectionOptions { Deadline = TimeSpan.FromSeconds(1) };
        var silo = fixture.Cluster.Silos[0].Process;

        silo.Pause();
        try
        {
            var error = await Assert.ThrowsAsync<DetectionException>(() => _client.Detection.GetStatusAsync(TestPictures.ImageKey(NewPicture()), options: brief));
            Assert.Equal(FailureReason.Unavailable, error.Reason);
            Assert.NotNull(error.RetryAfter);
        }
        finally
        {
            silo.Resume();
        }

        var ended = await _client.Detection.GetStatusAsync(ticket.ImageKey, TimeSpan.FromSeconds(60), options: Patient);
        Assert.Equal(DetectionStatus.Done, ended.Status);
        Assert.Equal(AnswerSource.Cached, (await _client.Detection.DetectAsync(picture, Patient)).Source);
    }

    [Fact]
    public async Task Same_picture_of_many_callers_is_inferred_once()
    {
        var picture = NewPicture();
        await using var other = new TestClient(fixture.Cluster.Redis);
        await other.Detection.GetModelsAsync();
        var before = await SettledCountAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i =>
            (i % 2 == 0 ? _client : other).Detection.DetectAsync(picture, Patient)));

        Assert.Single(answers, answer => answer.Source == AnswerSource.Computed);
        Assert.All(answers, answer => Assert.Equal(answers[0].Objects, answer.Objects));
        await Eventually.Async(async () => await _client.CompletedAsync() > before, Eventually.Soon, "the silo reported the picture");
        Assert.Equal(before + 1, await SettledCountAsync());
    }

    [Fact]
    public async Task One_cached_result_serves_every_threshold_label_and_number()
    {
        var picture = await File.ReadAllBytesAsync(TestPictures.Path("walkers.webp"));
        var all = await _client.Detection.DetectAsync(picture, Patient with { Threshold = 0.05f });
        Assert.True(all.Objects.Count > 3);

        var some = await _client.Detection.DetectAsync(picture, Patient with { Threshold = 0.6f });
        var lowest = await _client.Detection.DetectAsync(picture, Patient with { Threshold = 0.001f });
        var one = await _client.Detection.DetectAsync(picture, Patient with { Threshold = 0.05f, MaxObjects = 1 });
        var people = await _client.Detection.DetectAsync(picture, Patient with { Threshold = 0.05f, Labels = ["PERSON"] });

        Assert.All([some, lowest, one, people], answer => Assert.Equal(AnswerSource.Cached, answer.Source));
        Assert.Equal(all.Objects.Where(found => found.Score >= 0.6f), some.Objects);
        Assert.Equal(0.05f, lowest.Threshold);
        Assert.Equal(all.Objects, lowest.Objects);
        Assert.Equal(all.Objects.Take(1), one.Objects);
        Assert.Equal(all.Objects.Where(found => all.LabelOf(found) == "person"), people.Objects);
    }

    [Fact]
    public async Task Other_iou_is_computed_separately()
    {
        var picture = await File.ReadAllBytesAsync(TestPictures.Path("walkers.webp"));
        var usual = await _client.Detection.DetectAsync(picture, Patient with { Threshold = 0.05f });

        var loose = await _client.Detection.DetectAsync(picture, Patient with { Threshold = 0.05f, Iou = 0.95f });

        Assert.Equal(AnswerSource.Computed, loose.Source);
        Assert.True(loose.Objects.Count > usual.Objects.Count, "less is suppressed at a higher IoU");
    }

    [Theory]
    [InlineData("text.jpg", FailureReason.NotAPicture)]
    [InlineData("empty.jpg", FailureReason.NotAPicture)]
    [InlineData("truncated.jpg", FailureReason.Undecodable)]
    [InlineData("huge.png", FailureReason.TooLarge)]
    [InlineData("unsupported.tiff", FailureReason.Unsupported)]
    public async Task Invalid_picture_fails_alone_with_the_reason(string name, FailureReason expected)
    {
        var bad = _client.Detection.DetectAsync(await File.ReadAllBytesAsync(TestPictures.Path(Path.Combine("edge", name))), Patient);
        var good = Enumerable.Range(0, 5).Select(_ => _client.Detection.DetectAsync(NewPicture(), Patient)).ToList();

        var failure = await Assert.ThrowsAsync<DetectionException>(() => bad);

        Assert.Equal(expected, failure.Reason);
        await Task.WhenAll(good);
    }

    [Fact]
    public async Task Failure_is_not_cached()
    {
        var bad = await File.ReadAllBytesAsync(TestPictures.Path(Path.Combine("edge", "truncated.png")));
        await Assert.ThrowsAsync<DetectionException>(() => _client.Detection.DetectAsync(bad, Patient));
        var before = await SettledCountAsync();

        await Assert.ThrowsAsync<DetectionException>(() => _client.Detection.DetectAsync(bad, Patient));

        await Eventually.Async(async () => await _client.CompletedAsync() > before, Eventually.Soon, "it was tried again");
    }

    [Fact]
    public async Task An_answer_can_be_read_again_and_so_can_the_picture()
    {
        var picture = NewPicture();
        Assert.Null(await _client.Detection.FindAsync(TestPictures.ImageKey(picture)));
        var answer = await _client.Detection.DetectAsync(picture, Patient);

        var again = await _client.Detection.FindAsync(answer.ImageKey);

        Assert.Equal(answer.Objects, again!.Objects);
        using var kept = await _client.Detection.FindPictureAsync(answer.ImageKey);
        Assert.Equal(picture, kept!.Memory.ToArray());
        Assert.Null(await _client.Detection.FindPictureAsync(new string('0', 64)));
    }

    [Fact]
    public async Task Expired_picture_of_a_known_result_is_stored_when_it_is_sent_again()
    {
        var picture = NewPicture();
        var answer = await _client.Detection.DetectAsync(picture, Patient);
        await using var redis = await fixture.Cluster.Redis.ConnectAsync();
        await redis.GetDatabase().KeyDeleteAsync(Keys.Picture(answer.ImageKey));
        Assert.Null(await _client.Detection.FindPictureAsync(answer.ImageKey));

        var again = await _client.Detection.DetectAsync(picture, Patient);

        Assert.Equal(AnswerSource.Cached, again.Source);
        using var kept = await _client.Detection.FindPictureAsync(answer.ImageKey);
        Assert.Equal(picture, kept!.Memory.ToArray());

        // Sent once more shortly before it expires, it is kept for the full time again.
        await redis.GetDatabase().KeyExpireAsync(Keys.Picture(answer.ImageKey), TimeSpan.FromSeconds(20));
        await _client.Detection.SubmitAsync(picture, Patient);
        await Eventually.Async(
            async () => await redis.GetDatabase().KeyTimeToLiveAsync(Keys.Picture(answer.ImageKey)) > TimeSpan.FromSeconds(60),
            Eventually.Soon,
            "it is kept for another while");
    }

    [Fact]
    public async Task Expired_result_is_found_by_no_caller()
    {
        var answer = await _client.Detection.DetectAsync(TestPictures.Unique(31_000), Patient);
        await using var redis = await fixture.Cluster.Redis.ConnectAsync();

        // As when it expires while the grain of the request is still active.
        Assert.True(await redis.GetDatabase().KeyDeleteAsync(Keys.Result(new RequestKey(answer.Model, answer.ImageKey))));

        Assert.Equal(DetectionStatus.Unknown, (await _client.Detection.GetStatusAsync(answer.ImageKey)).Status);
        Assert.Null(await _client.Detection.FindAsync(answer.ImageKey));
    }

    [Fact]
    public async Task Unknown_model_is_ModelNotFound()
    {
        var failure = await Assert.ThrowsAsync<DetectionException>(
            () => _client.Detection.DetectAsync(NewPicture(), Patient with { Model = "no-such-model" }));

        Assert.Equal(FailureReason.ModelNotFound, failure.Reason);
    }

    [Fact]
    public async Task A_private_address_is_not_fetched()
    {
        var failure = await Assert.ThrowsAsync<DetectionException>(
            () => _client.Detection.DetectAsync(new Uri("http://169.254.169.254/latest/meta-data"), Patient));

        Assert.Equal(FailureReason.UrlNotAllowed, failure.Reason);
    }

    [Fact]
    public async Task Request_of_cancelled_callers_is_not_run()
    {
        var before = await SettledCountAsync();
        using var leaving = new CancellationTokenSource();
        const int Many = 120;
        var calls = Enumerable.Range(0, Many).Select(_ => _client.Detection.DetectAsync(NewPicture(), Patient, leaving.Token)).ToList();
        await Eventually.Async(async () => (await _client.BatchersAsync()).Any(batcher => batcher.InFlight > 0), Eventually.Soon, "the first are claimed");

        await leaving.CancelAsync();

        await Task.WhenAll(calls.Select(call => call.ContinueWith(_ => { }, TaskScheduler.Default)));
        Assert.Contains(calls, call => call.IsCanceled);

        // One more picture, after them in the queue: when it is done, all before it are done.
        await _client.Detection.DetectAsync(NewPicture(), Patient);
        Assert.InRange(await SettledCountAsync() - before, 1, Many - 1);
    }

    /// <summary>The count of reports after this call that have nothing in flight: older ones do not contain the latest work.</summary>
    private async Task<long> SettledCountAsync()
    {
        var asked = DateTimeOffset.UtcNow;
        long completed = -1;
        await Eventually.Async(
            async () =>
            {
                var silos = await _client.Reports.GetSilosAsync();
                var batchers = silos.SelectMany(silo => silo.Batchers).ToList();
                var now = batchers.Sum(batcher => batcher.Completed);
                var same = now == completed && silos.All(silo => silo.ReportedAt > asked) && batchers.Count > 0 && batchers.All(batcher => batcher.InFlight == 0);
                completed = now;
                return same;
            },
            Eventually.Soon,
            "the batchers are quiet");
        return completed;
    }

    private static byte[] NewPicture() => TestPictures.Unique(Interlocked.Increment(ref _next));
}
