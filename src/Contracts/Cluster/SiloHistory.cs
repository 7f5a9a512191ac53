using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Storage;

namespace Detection.Contracts.Cluster;

/// <summary>
/// What a silo did during the last minutes, in the hash <see cref="Storage.RedisKeys.History"/>. It is separate from the <see cref="SiloReport"/>,
/// which every client and silo reads each second, because only people read it. Members that a silo of another version does not write are empty.
/// </summary>
/// <param name="Silo">Name of the silo.</param>
/// <param name="ReportedAt">When this was written.</param>
public sealed record SiloHistory(string Silo, DateTimeOffset ReportedAt)
{
    /// <summary>Queues of the models that it serves. All silos that serve a model see the same queue.</summary>
    public IReadOnlyList<QueueReport> Queues { get; init; } = [];

    /// <summary>What it did, oldest first. Intervals without any work are left out.</summary>
    public IReadOnlyList<WorkInterval> Intervals { get; init; } = [];

    /// <summary>The last pictures that failed or expired, newest first.</summary>
    public IReadOnlyList<FailedPicture> Failures { get; init; } = [];

    /// <summary>Maximum number of pictures in a batch; 0 when not known.</summary>
    public int MaxBatch { get; init; }

    /// <summary>The histories of live silos, ordered by name.</summary>
    public static IReadOnlyList<SiloHistory> Live(IEnumerable<SiloHistory> histories, DateTimeOffset now) =>
        [.. histories.Where(history => now - history.ReportedAt <= SiloReport.Lifetime).OrderBy(static history => history.Silo, StringComparer.Ordinal)];

    /// <summary>Writes the history as UTF-8 JSON.</summary>
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, SiloHistoryJson.Default.SiloHistory);

    /// <summary>Reads what <see cref="Serialize"/> wrote; <see langword="null"/> when it is of another format.</summary>
    public static SiloHistory? Deserialize(ReadOnlySpan<byte> json) => StoredJson.TryRead(json, SiloHistoryJson.Default.SiloHistory);
}

/// <summary>A queue at one instant.</summary>
/// <param name="Model">The model whose requests wait, <c>name@version</c>.</param>
/// <param name="Length">Requests that wait.</param>
/// <param name="Capacity">Maximum number of requests that may wait.</param>
/// <param name="OldestSeconds">How long the oldest has waited; 0 when none waits.</param>
/// <param name="DeadLetters">Dead letters in the list of the model. The JSON calls it <c>givenUp</c>.</param>
public sealed record QueueReport(
    string Model, int Length, int Capacity, double OldestSeconds, [property: JsonPropertyName("givenUp")] int DeadLetters);

/// <summary>What a silo did in one interval.</summary>
/// <param name="Start">Its start in unix seconds, a multiple of <see cref="Seconds"/>.</param>
/// <param name="Completed">Pictures that ended, including failed ones.</param>
/// <param name="Failed">Of these, failed or expired.</param>
/// <param name="Batches">Batches that ended.</param>
/// <param name="BatchPictures">Pictures in these batches.</param>
/// <param name="FirstLatency">Class of the first of <paramref name="Latencies"/>, see <see cref="LatencyClasses"/>.</param>
/// <param name="Latencies">Pictures by the class of their time from entering the queue to their end.</param>
public sealed record WorkInterval(
    long Start, int Completed, int Failed, int Batches, int BatchPictures, int FirstLatency, IReadOnlyList<int> Latencies)
{
    /// <summary>Length of an interval in seconds.</summary>
    public const int Seconds = 5;
}

/// <summary>A picture that failed or expired.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Picture">The first digits of its key: enough to find it in a log, not enough to ask for the picture.</param>
/// <param name="Model">The model, <c>name@version</c>.</param>
/// <param name="Device">The device; empty when the picture was given up because the leases of its batchers expired.</param>
/// <param name="Reason">What kind of failure.</param>
/// <param name="Message">One sentence for a person.</param>
public sealed record FailedPicture(DateTimeOffset At, string Picture, string Model, string Device, string Reason, string Message);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(SiloHistory))]
internal sealed partial class SiloHistoryJson : JsonSerializerContext;
