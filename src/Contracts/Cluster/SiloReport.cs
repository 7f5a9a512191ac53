using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Models;
using Detection.Contracts.Storage;

namespace Detection.Contracts.Cluster;

/// <summary>
/// What a silo reports about itself every few seconds, in the hash <see cref="Storage.RedisKeys.Silos"/>. Clients read which models are served, front
/// ends whether a worker is available, and people the state of the cluster.
/// </summary>
/// <param name="Silo">Name of the silo, unique in the cluster.</param>
/// <param name="Address">Its address.</param>
/// <param name="StartedAt">When its process started.</param>
/// <param name="ReportedAt">When this was written. Older than <see cref="Lifetime"/>: the silo is gone.</param>
/// <param name="Devices">Devices it owns; none for a silo that only runs request grains and fetches URLs.</param>
/// <param name="Models">Models it serves, current version first. Empty without devices.</param>
/// <param name="Batchers">One per device and model.</param>
/// <param name="Problems">What is wrong, one sentence each: a device that does not work, a model that does not load.</param>
/// <param name="ModelProblems">Of these, faults in model files, by model name. Such a model is not served, or its previous version is.
/// <see langword="null"/> from a silo of an older version.
/// </param>
/// <param name="RetiredModels">Of <paramref name="Models"/>, the full names of those whose files were removed or replaced: the silo finishes the
/// accepted requests and then unloads the model. <see langword="null"/> from a silo of an older version.
/// </param>
public sealed record SiloReport(
    string Silo,
    string Address,
    DateTimeOffset StartedAt,
    DateTimeOffset ReportedAt,
    IReadOnlyList<DeviceReport> Devices,
    IReadOnlyList<ModelInfo> Models,
    IReadOnlyList<BatcherReport> Batchers,
    IReadOnlyList<string> Problems,
    IReadOnlyDictionary<string, string>? ModelProblems = null,
    IReadOnlyList<string>? RetiredModels = null)
{
    /// <summary>The key in <see cref="ModelProblems"/> of a problem of the whole folder of models.</summary>
    public const string ModelFolder = "*";

    /// <summary>How long a report is valid after it was written.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether an administrator has drained it: it runs no model until its process is restarted. Requests for <see cref="Models"/> wait for
    /// another silo, or for that restart.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsDrained { get; init; }

    /// <summary>Time limit of one fetch of a picture from a URL (<c>Detection:Fetch:Timeout</c>); <see langword="null"/> from a silo of an older version.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? FetchTimeout { get; init; }

    /// <summary>Models that it pulls or has pulled; <see langword="null"/> for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PullReport>? Pulls { get; init; }

    /// <summary>The models for which it accepts requests.</summary>
    [JsonIgnore]
    public IEnumerable<ModelInfo> CurrentModels => IsDrained ? [] : RetiredModels is { Count: > 0 } retired ? Models.Where(model => !retired.Contains(model.Id)) : Models;

    /// <summary>Faults in model files reported by several silos, by model name. When silos report different faults, the first one is used.</summary>
    public static Dictionary<string, string> ModelProblemsOf(IEnumerable<SiloReport> silos) => silos
        .SelectMany(static silo => silo.ModelProblems ?? new Dictionary<string, string>())
        .DistinctBy(static problem => problem.Key)
        .ToDictionary(StringComparer.Ordinal);

    /// <summary>The reports of live silos, ordered by name.</summary>
    public static IReadOnlyList<SiloReport> Live(IEnumerable<SiloReport> reports, DateTimeOffset now) =>
        [.. reports.Where(report => now - report.ReportedAt <= Lifetime).OrderBy(static report => report.Silo, StringComparer.Ordinal)];

    /// <summary>Writes the report as UTF-8 JSON.</summary>
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, SiloReportJson.Default.SiloReport);

    /// <summary>Reads what <see cref="Serialize"/> wrote; <see langword="null"/> when it is of another format.</summary>
    public static SiloReport? Deserialize(ReadOnlySpan<byte> json) => StoredJson.TryRead(json, SiloReportJson.Default.SiloReport);
}

/// <summary>A device of a silo.</summary>
/// <param name="Id">Cluster-unique id, for example <c>node-1/cuda:0</c>.</param>
/// <param name="Kind"><c>cpu</c> or <c>cuda</c>.</param>
/// <param name="Description">For people: the card's name, or the number of cores.</param>
public sealed record DeviceReport(string Id, string Kind, string Description);

/// <summary>What a batcher is doing.</summary>
public enum BatcherState
{
    /// <summary>Loading and warming up its model.</summary>
    Starting,

    /// <summary>Nothing to do.</summary>
    Idle,

    /// <summary>Working.</summary>
    Busy,

    /// <summary>There is work, but no batch was completed for the configured time.</summary>
    Stuck,

    /// <summary>Finishing what it holds, then ending.</summary>
    Draining,
}

/// <summary>Health of a device with one model.</summary>
public enum DeviceHealth
{
    /// <summary>It works.</summary>
    Serving,

    /// <summary>It failed and has not succeeded since. It claims pictures again after a successful test with the known picture.</summary>
    Suspect,

    /// <summary>It failed too often, or returned other boxes for the known picture than before. It claims nothing.</summary>
    Quarantined,

    /// <summary>Its model is being loaded again.</summary>
    Reloading,

    /// <summary>It failed after its model was loaded again. It claims nothing and is retried later.</summary>
    Broken,
}

/// <summary>A batcher of a silo.</summary>
/// <param name="Device">Id of its device.</param>
/// <param name="Model">Its model, <c>name@version</c>.</param>
/// <param name="State">What it is doing.</param>
/// <param name="Rate">Pictures per second that it can do, measured while it was busy; failed ones do not count; 0 while not known.</param>
/// <param name="InFlight">Pictures that it has claimed and not settled.</param>
/// <param name="Completed">Pictures that ended since it started.</param>
/// <param name="Failed">Of these, failed ones.</param>
/// <param name="Batches">Batches since it started.</param>
/// <param name="BusySeconds">Time since it started during which it held at least one picture.</param>
/// <param name="Health">Health of its device with this model.</param>
/// <param name="DeviceErrors">Runs that failed on the device since the model was loaded first.</param>
/// <param name="Ailment">Why the device is not serving, in one sentence; <see langword="null"/> while it is.</param>
public sealed record BatcherReport(
    string Device,
    string Model,
    BatcherState State,
    double Rate,
    int InFlight,
    long Completed,
    long Failed,
    long Batches,
    double BusySeconds,
    DeviceHealth Health = DeviceHealth.Serving,
    long DeviceErrors = 0,
    string? Ailment = null)
{
    /// <summary>Whether it processes pictures, so that its rate is part of the cluster's rate.</summary>
    [JsonIgnore]
    public bool Works => State is (BatcherState.Idle or BatcherState.Busy) && !IsOutOfService;

    /// <summary>Whether the health of its device keeps it from claiming pictures.</summary>
    [JsonIgnore]
    public bool IsOutOfService => Health is not (DeviceHealth.Serving or DeviceHealth.Suspect);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SiloReport))]
internal sealed partial class SiloReportJson : JsonSerializerContext;
