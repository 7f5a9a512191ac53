using Detection.Contracts.Cluster;
using Detection.Contracts.Fetching;
using Detection.Contracts.Models;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Detection.Grains.Requests;
using Detection.Grains.Tests.Batching;
using Detection.Grains.Webhooks;
using Detection.Objects;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Persistence;
using Orleans.Serialization;

namespace Detection.Grains.Tests.Wire;

/// <summary>
/// Data that processes exchange or store in Redis is read and written as by the first version. Enums are cast from their numbers, because the numbers
/// are written.
/// </summary>
public sealed class GoldenTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 11, 27, 12, 30, 45, 678, TimeSpan.Zero);

    private static readonly string ImageKey = string.Concat(Enumerable.Repeat("0123456789abcdef", 4));

    private static readonly string[] Labels = ["person"];

    /// <summary>The reasons that silos write. The others are those of clients.</summary>
    private static readonly IEnumerable<FailureReason> Written = Enumerable.Range(0, 9).Select(static number => (FailureReason)number);

    private static readonly RequestFailure Failure = new((FailureReason)2, "The picture is damaged.");

    // Not started: only the serializers of a silo are used, and not Redis.
    private readonly IHost _silo = TestSilo.Build("localhost:1", []);

    private Serializer Serializer => _silo.Services.GetRequiredService<Serializer>();

    private static DetectionResult Result => new(
        "coco@0123456789ab",
        640,
        480,
        [new DetectedObject(17, 0.875f, 1.5f, 2.25f, 300.125f, 400), new DetectedObject(0, 0.05f, 0, 0, 640, 480)],
        new StageTimings(1.5, 2.25, 3.125, 40.5, 0.75, 32));

    private static ModelInfo Model => new("coco", "0123456789ab", "nanodet", 416, 320, ["person", "bicycle"], 0.05f, 0.35f, 0.6f);

    public void Dispose() => _silo.Dispose();

    [Fact]
    public void DetectionResult_is_written_as_before() => Check("DetectionResult.txt", [
        ("two boxes", Result),
        ("no box", Result with { Boxes = [] }),
    ]);

    [Fact]
    public void RequestSnapshot_is_written_as_before() => Check("RequestSnapshot.txt", [
        .. Enum.GetValues<RequestStatus>().Select(status => ($"status {(int)status}", new RequestSnapshot(status))),
        .. Written.Select(reason => (
            $"reason {(int)reason}", new RequestSnapshot((RequestStatus)6, Failure: new RequestFailure(reason, "Why.")))),
        ("result", new RequestSnapshot((RequestStatus)5, Result, Joined: true)),
        ("refused", new RequestSnapshot((RequestStatus)1, RetryAfter: TimeSpan.FromSeconds(1.5))),
        ("queued", new RequestSnapshot((RequestStatus)3, Position: 42, EstimatedWait: TimeSpan.FromMilliseconds(250))),
    ]);

    [Fact]
    public void RequestTerms_is_written_as_before() => Check("RequestTerms.txt", [
        ("budget", new RequestTerms(TimeSpan.FromSeconds(30))),
        ("all", new RequestTerms(
            TimeSpan.FromSeconds(30),
            Asynchronous: true,
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "alice",
            new WebhookTerms(new Uri("https://example.com/hook"), new BoxChoice(0.5f, 10, Labels)))),
    ]);

    /// <summary>From before the picture's URL was added.</summary>
    [Fact]
    public void RequestTerms_of_a_process_that_knows_no_source_are_read()
    {
        var read = Serializer.Deserialize<RequestTerms>(Convert.FromHexString("20e88000a3e111000000000101c101c101c101e0"));

        Assert.Equal(new RequestTerms(TimeSpan.FromSeconds(30)), read);
    }

    [Fact]
    public void FetchOutcome_is_written_as_before() => Check("FetchOutcome.txt", [
        .. Enum.GetValues<FetchStatus>().Select(status => ($"status {(int)status}", new FetchOutcome(status))),
        ("stored", new FetchOutcome(0, ImageKey)),
        ("refused", new FetchOutcome((FetchStatus)1, Message: "Why.")),
    ]);

    /// <summary>Before finality was among them.</summary>
    [Fact]
    public void FetchOutcome_of_a_process_that_knows_no_finality_is_read() =>
        Assert.Equal(new FetchOutcome(0), Serializer.Deserialize<FetchOutcome>(Convert.FromHexString("20e8080301c101c101e0")));

    [Fact]
    public void Aliases_are_written_as_before()
    {
        // As objects, so that the bytes name the types.
        var serializer = Serializer;
        new GoldenFile("Aliases.txt").Check<object>(
            [
                ("RequestSnapshot", new RequestSnapshot((RequestStatus)6, Failure: Failure)),
                ("RequestTerms", new RequestTerms(TimeSpan.FromSeconds(30))),
                ("FetchOutcome", new FetchOutcome(0, ImageKey)),
            ],
            serializer.SerializeToArray<object>,
            bytes => serializer.Deserialize<object>(bytes)!);
    }

    /// <summary>It is JSON in which the types have their full names: <see cref="RequestState"/> and what it holds may not move.</summary>
    [Fact]
    public async Task RequestState_is_stored_as_before()
    {
        await using var redis = await RedisServer.StartAsync();
        using var silo = TestSilo.Build(redis.ConnectionString, []);
        var serializer = silo.Services.GetRequiredService<IOptionsMonitor<RedisStorageOptions>>().Get(RequestGrain.Storage).GrainStorageSerializer;
        new GoldenFile("RequestState.json.txt").Check<RequestState>(
            [
                ("new", new RequestState()),
                ("asynchronous", new RequestState { Asynchronous = true, Deadline = At, Webhooks = true }),
                ("failed", new RequestState { End = new RequestSnapshot((RequestStatus)6, Failure: Failure), EndedAt = At }),
                ("expired", new RequestState { Asynchronous = true, Deadline = At, End = new RequestSnapshot((RequestStatus)7), EndedAt = At }),
            ],
            state => serializer.Serialize(state).ToArray(),
            bytes => serializer.Deserialize<RequestState>(new BinaryData(bytes))!);
    }

    [Fact]
    public void SiloReport_is_written_as_before() => new GoldenFile("SiloReport.json.txt").Check<SiloReport>(
        [
            ("all", new SiloReport(
                "node-1",
                "S10.0.0.1:11111:1",
                At,
                At.AddSeconds(1),
                [new DeviceReport("node-1/cuda:0", "cuda", "A card")],
                [Model],
                [
                    .. Enum.GetValues<BatcherState>().Select(state => new BatcherReport("node-1/cuda:0", Model.Id, state, 12.5, 3, 100, 2, 10, 4.5)),
                    .. Enum.GetValues<DeviceHealth>().Select(health => new BatcherReport(
                        "node-1/cuda:0", Model.Id, BatcherState.Idle, 0, 0, 0, 0, 0, 0, health, 7, "It fails.")),
                ],
                ["A problem."],
                new Dictionary<string, string> { ["other"] = "It does not load." },
                ["coco@ba9876543210"])),
            ("least", new SiloReport("node-1", "S10.0.0.1:11111:1", At, At, [], [], [], [])),
            ("drained", new SiloReport("node-1", "S10.0.0.1:11111:1", At, At, [], [], [], []) { IsDrained = true }),
            ("fetches", new SiloReport("node-1", "S10.0.0.1:11111:1", At, At, [], [], [], []) { FetchTimeout = TimeSpan.FromSeconds(8) }),
        ],
        static report => report.Serialize(),
        static bytes => SiloReport.Deserialize(bytes)!);

    [Fact]
    public void SiloHistory_is_written_as_before() => new GoldenFile("SiloHistory.json.txt").Check<SiloHistory>(
        [
            ("all", new SiloHistory("node-1", At)
            {
                Queues = [new QueueReport(Model.Id, 12, 256, 1.5, 2)],
                Intervals = [new WorkInterval(1795778640, 20, 1, 3, 20, 4, [1, 0, 19])],
                Failures =
                [
                    .. Written.Select(reason => new FailedPicture(
                        At, "01234567", Model.Id, "node-1/cuda:0", reason.ToString(), "Why.")),
                    new FailedPicture(At, "01234567", Model.Id, "", nameof(RequestStatus.Expired), "Why."),
                ],
                MaxBatch = 32,
            }),
            ("least", new SiloHistory("node-1", At)),
        ],
        static history => history.Serialize(),
        static bytes => SiloHistory.Deserialize(bytes)!);

    [Fact]
    public void ModelRecord_is_written_as_before() => new GoldenFile("ModelRecord.json.txt").Check<ModelRecord>(
        [("record", new ModelRecord(Model, "node-1", At, At.AddSeconds(1)))],
        static record => record.Serialize(),
        static bytes => ModelRecord.Deserialize(bytes)!);

    [Fact]
    public void WebhookRecord_is_written_as_before()
    {
        var webhook = new Webhook(
            "msg_1",
            new RequestKey(Model.Id, ImageKey, 0.3f),
            new Uri("https://example.com/hook?a=1&b=2"),
            new BoxChoice(0.5f, 10, ["person", "bicycle"]),
            At,
            At.AddSeconds(30),
            At.AddDays(1),
            "alice");
        new GoldenFile("WebhookRecord.json.txt").Check<Webhook>(
            [
                ("all", webhook),
                ("least", webhook with { Key = new RequestKey(Model.Id, ImageKey), Choice = new BoxChoice(0.5f), Caller = null }),
            ],
            static one => one.Serialize(),
            static bytes => Webhook.Deserialize("msg_1", bytes)!);
    }

    [Fact]
    public void Enums_keep_their_numbers()
    {
        Assert.Equal(
            "Unknown Busy Unavailable Queued Running Done Failed Expired ShareUsed WebhookRefused WebhooksFull WebhookShareUsed StorageFull DevicesBroken TooLate OwnTooLate",
            Numbered<RequestStatus>());
        Assert.Equal(
            "Inference NotAPicture Undecodable Unsupported TooLarge Poison PictureLost WebhookRefused ModelGone "
                + "ModelNotFound UrlNotAllowed UrlNotReachable Busy ShareUsed WebhooksFull StorageFull Unavailable DeadlineExceeded Internal",
            Numbered<FailureReason>());
        Assert.Equal("Stored NotAllowed NotReachable TooLarge TimedOut ShareUsed Busy", Numbered<FetchStatus>());

        static string Numbered<T>()
            where T : struct, Enum
        {
            var values = Enum.GetValues<T>();
            Assert.Equal(Enumerable.Range(0, values.Length), values.Select(static value => Convert.ToInt32(value, null)));
            return string.Join(' ', values);
        }
    }

    private void Check<T>(string file, IReadOnlyList<(string Name, T Value)> values)
        where T : class
    {
        var serializer = Serializer;
        new GoldenFile(file).Check(values, serializer.SerializeToArray, bytes => serializer.Deserialize<T>(bytes)!);
    }
}
