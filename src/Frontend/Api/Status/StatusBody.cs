using Detection.Contracts.Cluster;
using Detection.Frontend.Http.Access;

namespace Detection.Frontend.Api.Status;

/// <summary>The state of the cluster at one instant.</summary>
/// <param name="At">Time of this state.</param>
/// <param name="Now">Throughput and latency now.</param>
/// <param name="Silos">The silos.</param>
/// <param name="Queues">One per model version.</param>
/// <param name="Intervals">The last five minutes, oldest first.</param>
/// <param name="Failures">The latest failed pictures, newest first.</param>
/// <param name="Models">The models, also those that cannot be served, by name.</param>
/// <param name="Administration">granted: you may administer the cluster. keyNeeded: you need a key with this right. none: no caller at this address may.</param>
internal sealed record StatusBody(
    DateTimeOffset At,
    NowBody Now,
    IReadOnlyList<SiloBody> Silos,
    IReadOnlyList<QueueReport> Queues,
    IReadOnlyList<IntervalBody> Intervals,
    IReadOnlyList<FailedPicture> Failures,
    IReadOnlyList<ModelStateBody> Models,
    AdministrationRight Administration);

/// <summary>The state of a model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Versions">The versions that are served.</param>
/// <param name="Silos">Names of the silos that serve it.</param>
/// <param name="Problems">Why silos do not serve it, or not with all of their devices.</param>
internal sealed record ModelStateBody(string Name, IReadOnlyList<string> Versions, IReadOnlyList<string> Silos, IReadOnlyList<ModelProblemBody> Problems);

/// <summary>A problem of a model on a silo.</summary>
/// <param name="Silo">Name of the silo.</param>
/// <param name="Detail">One sentence.</param>
internal sealed record ModelProblemBody(string Silo, string Detail);

/// <summary>Throughput and latency of the cluster: the mean of the last 5 to 10 seconds.</summary>
/// <param name="PicturesPerSecond">Pictures per second that completed or failed.</param>
/// <param name="PossiblePerSecond">Measured capacity of all devices in pictures per second; 0 while unknown.</param>
/// <param name="P50">Median latency from entering the queue to the end, in seconds.</param>
/// <param name="P95">95th percentile of this latency, in seconds.</param>
/// <param name="BatchSize">Mean number of pictures in a batch.</param>
internal sealed record NowBody(double PicturesPerSecond, double PossiblePerSecond, double? P50, double? P95, double? BatchSize);

/// <summary>A silo: a process of the cluster.</summary>
/// <param name="Name">Its name, unique in the cluster.</param>
/// <param name="Host">Address of its machine. Silos with the same address share a machine.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="ReportedAt">Time of its latest report.</param>
/// <param name="Devices">Its devices; empty for a silo that only keeps requests and fetches URLs.</param>
/// <param name="Problems">Its problems, one sentence each.</param>
/// <param name="Drained">Whether an administrator has drained it: it runs no model until its process is restarted.</param>
internal sealed record SiloBody(
    string Name, string Host, DateTimeOffset StartedAt, DateTimeOffset ReportedAt, IReadOnlyList<DeviceBody> Devices, IReadOnlyList<string> Problems, bool Drained);

/// <summary>A device that runs models.</summary>
/// <param name="Id">Cluster-unique id.</param>
/// <param name="Kind">cpu or cuda.</param>
/// <param name="Description">Name of the device to show.</param>
/// <param name="MaxBatch">Maximum number of pictures in a batch; 0 when unknown.</param>
/// <param name="Batchers">Its batchers, one per model.</param>
internal sealed record DeviceBody(string Id, string Kind, string Description, int MaxBatch, IReadOnlyList<BatcherBody> Batchers);

/// <summary>A batcher: one model on one device.</summary>
/// <param name="Model">The model, name@version.</param>
/// <param name="State">Its state.</param>
/// <param name="Rate">Measured capacity in pictures per second; 0 while unknown.</param>
/// <param name="InFlight">Pictures that it has claimed and not yet settled.</param>
/// <param name="Completed">Pictures completed since it started.</param>
/// <param name="Failed">Of these, failed.</param>
/// <param name="BusySeconds">Seconds since it started in which it had at least one picture.</param>
/// <param name="Health">Health of the device with this model.</param>
/// <param name="DeviceErrors">Runs that failed on the device since the model was first loaded.</param>
/// <param name="Ailment">Why the device does not serve the model, in one sentence; absent while it serves.</param>
internal sealed record BatcherBody(
    string Model,
    BatcherState State,
    double Rate,
    int InFlight,
    long Completed,
    long Failed,
    double BusySeconds,
    DeviceHealth Health,
    long DeviceErrors,
    string? Ailment);

/// <summary>Work of the cluster in one interval.</summary>
/// <param name="Start">Start of the interval.</param>
/// <param name="Seconds">Length of the interval, in seconds.</param>
/// <param name="Completed">Pictures that ended, failed ones included.</param>
/// <param name="Failed">Of these, failed or expired.</param>
/// <param name="P50">Median latency from entering the queue to the end, in seconds.</param>
/// <param name="P95">95th percentile of this latency, in seconds.</param>
/// <param name="BatchSize">Mean number of pictures in a batch.</param>
internal sealed record IntervalBody(DateTimeOffset Start, int Seconds, int Completed, int Failed, double? P50, double? P95, double? BatchSize);
