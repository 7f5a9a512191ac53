using Detection.Contracts.Cluster;

namespace Detection.Frontend.Api.Status;

/// <summary>The cluster at one instant.</summary>
/// <param name="At">When it was looked at.</param>
/// <param name="Now">What it does now.</param>
/// <param name="Silos">The processes that work on pictures.</param>
/// <param name="Queues">One per model version.</param>
/// <param name="Intervals">The last five minutes, oldest first.</param>
/// <param name="Failures">The latest failed pictures, newest first.</param>
internal sealed record StatusBody(
    DateTimeOffset At,
    NowBody Now,
    IReadOnlyList<SiloBody> Silos,
    IReadOnlyList<QueueReport> Queues,
    IReadOnlyList<IntervalBody> Intervals,
    IReadOnlyList<FailedPicture> Failures);

/// <summary>What the cluster does now: the mean of the last 5 to 10 seconds.</summary>
/// <param name="PicturesPerSecond">Pictures that ended.</param>
/// <param name="PossiblePerSecond">Pictures that the devices can do, as measured; 0 while not known.</param>
/// <param name="P50">Half of the pictures took less, in seconds from entering the queue to the end.</param>
/// <param name="P95">95 of 100 pictures took less, in seconds.</param>
/// <param name="BatchSize">Mean number of pictures in a batch.</param>
internal sealed record NowBody(double PicturesPerSecond, double PossiblePerSecond, double? P50, double? P95, double? BatchSize);

/// <summary>A process that works on pictures.</summary>
/// <param name="Name">Its name, unique in the cluster.</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="ReportedAt">When it said this of itself.</param>
/// <param name="Devices">Its devices; none when it only keeps requests and fetches URLs.</param>
/// <param name="Problems">What is wrong, one sentence each.</param>
internal sealed record SiloBody(
    string Name, DateTimeOffset StartedAt, DateTimeOffset ReportedAt, IReadOnlyList<DeviceBody> Devices, IReadOnlyList<string> Problems);

/// <summary>Something that models run on.</summary>
/// <param name="Id">Cluster-unique id.</param>
/// <param name="Kind">cpu or cuda.</param>
/// <param name="Description">For people.</param>
/// <param name="MaxBatch">Most pictures in a batch; 0 when not known.</param>
/// <param name="Batchers">What runs on it, one per model.</param>
internal sealed record DeviceBody(string Id, string Kind, string Description, int MaxBatch, IReadOnlyList<BatcherBody> Batchers);

/// <summary>A model on a device.</summary>
/// <param name="Model">The model, name@version.</param>
/// <param name="State">What it is doing.</param>
/// <param name="Rate">Pictures a second that it can do, as measured; 0 while not known.</param>
/// <param name="InFlight">Pictures it holds.</param>
/// <param name="Completed">Pictures completed since it started.</param>
/// <param name="Failed">Of these, failed.</param>
/// <param name="BusySeconds">Time since it started during which it held at least one picture.</param>
/// <param name="Health">How sound the device is with this model.</param>
/// <param name="DeviceErrors">Runs that failed on the device since the model was loaded first.</param>
/// <param name="Ailment">Unless it is serving, why not, in one sentence.</param>
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

/// <summary>What the cluster did in one interval.</summary>
/// <param name="Start">Its start.</param>
/// <param name="Seconds">Its length.</param>
/// <param name="Completed">Pictures that ended, failed ones included.</param>
/// <param name="Failed">Of these, failed or expired.</param>
/// <param name="P50">Half of the pictures took less, in seconds from entering the queue to the end.</param>
/// <param name="P95">95 of 100 pictures took less, in seconds.</param>
/// <param name="BatchSize">Mean number of pictures in a batch.</param>
internal sealed record IntervalBody(DateTimeOffset Start, int Seconds, int Completed, int Failed, double? P50, double? P95, double? BatchSize);
