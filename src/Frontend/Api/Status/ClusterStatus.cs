using Detection.Client;
using Detection.Contracts.Cluster;
using Detection.Frontend.Http.Access;

namespace Detection.Frontend.Api.Status;

/// <summary>
/// Combines the reports of the silos. Redis is read at most twice a second, however many clients ask.
/// </summary>
internal sealed class ClusterStatus(IClusterReports reports, TimeProvider time)
{
    private const int Intervals = 60;
    private const int Failures = 20;

    private static readonly TimeSpan FreshFor = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private Task<StatusBody>? _reading;
    private long _readAt;

    /// <summary>The state of the cluster, at most half a second old.</summary>
    /// <exception cref="DetectionException">Redis cannot be reached.</exception>
    public Task<StatusBody> ReadAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_reading is null || (_reading.IsCompleted && (!_reading.IsCompletedSuccessfully || time.GetElapsedTime(_readAt) > FreshFor)))
            {
                _readAt = time.GetTimestamp();

                // Concurrent callers share this read, so none of them may cancel it. The client's deadline ends it.
                _reading = ReadAsync();
            }

            return _reading.WaitAsync(cancellationToken);
        }
    }

    private async Task<StatusBody> ReadAsync()
    {
        var silos = reports.GetSilosAsync(CancellationToken.None);
        var histories = reports.GetHistoriesAsync(CancellationToken.None);
        await Task.WhenAll(silos, histories);
        return Of(await silos, await histories, time.GetUtcNow());
    }

    private static StatusBody Of(IReadOnlyList<SiloReport> silos, IReadOnlyList<SiloHistory> histories, DateTimeOffset now)
    {
        var sums = new Dictionary<long, Sum>();
        foreach (var interval in histories.SelectMany(static history => history.Intervals))
        {
            if (!sums.TryGetValue(interval.Start, out var sum))
            {
                sums[interval.Start] = sum = new Sum();
            }

            sum.Add(interval);
        }

        var current = now.ToUnixTimeSeconds() / WorkInterval.Seconds * WorkInterval.Seconds;
        var possible = silos.SelectMany(static silo => silo.Batchers).Where(static batcher => !batcher.IsOutOfService).Sum(static batcher => batcher.Rate);
        return new StatusBody(
            now,
            Now(histories, current, now, possible),
            [.. silos.Select(silo => Of(silo, histories.FirstOrDefault(history => history.Silo == silo.Silo)?.MaxBatch ?? 0))],
            Queues(histories),
            [.. Enumerable.Range(1, Intervals).Select(i => Of(current - ((Intervals - i + 1) * WorkInterval.Seconds), sums))],
            [.. histories.SelectMany(static history => history.Failures).OrderByDescending(static failure => failure.At).Take(Failures)],
            Models(silos),
            AdministrationRight.None);
    }

    private static List<ModelStateBody> Models(IReadOnlyList<SiloReport> silos)
    {
        var served = silos.SelectMany(static silo => silo.CurrentModels.Select(model => (silo.Silo, model.Name, model.Version))).ToLookup(static one => one.Name);
        var problems = silos.SelectMany(static silo => ProblemsOf(silo)).ToLookup(static one => one.Name, static one => one.Problem);
        return [.. served.Select(static of => of.Key).Union(problems.Select(static of => of.Key)).Order(StringComparer.Ordinal).Select(name => new ModelStateBody(
            name,
            [.. served[name].Select(static one => one.Version).Distinct()],
            [.. served[name].Select(static one => one.Silo).Distinct()],
            [.. problems[name]]))];
    }

    private static IEnumerable<(string Name, ModelProblemBody Problem)> ProblemsOf(SiloReport silo)
    {
        var models = silo.ModelProblems ?? new Dictionary<string, string>();
        return models.Where(static problem => problem.Key != SiloReport.ModelFolder).Select(problem => (problem.Key, new ModelProblemBody(silo.Silo, problem.Value)))
            .Concat(silo.Batchers.Where(static batcher => batcher.IsOutOfService).Select(batcher =>
                (batcher.Model.Split('@')[0], new ModelProblemBody(silo.Silo, $"Device {batcher.Device} is {batcher.Health.ToString().ToLowerInvariant()}: {batcher.Ailment}"))));
    }

    private static NowBody Now(IReadOnlyList<SiloHistory> histories, long current, DateTimeOffset now, double possible)
    {
        // The current interval and the one before: the current one alone may have just begun.
        var sum = new Sum();
        foreach (var interval in histories.SelectMany(static history => history.Intervals)
            .Where(interval => interval.Start == current || interval.Start == current - WorkInterval.Seconds))
        {
            sum.Add(interval);
        }

        var seconds = WorkInterval.Seconds + (now - DateTimeOffset.FromUnixTimeSeconds(current)).TotalSeconds;
        return new NowBody(sum.Completed / seconds, possible, sum.Percentile(0.5), sum.Percentile(0.95), sum.BatchSize);
    }

    private static SiloBody Of(SiloReport silo, int maxBatch) => new(
        silo.Silo,
        HostOf(silo.Address),
        silo.StartedAt,
        silo.ReportedAt,
        [.. silo.Devices.Select(device => new DeviceBody(
            device.Id,
            device.Kind,
            device.Description,
            maxBatch,
            [.. silo.Batchers.Where(batcher => batcher.Device == device.Id).Select(static b => new BatcherBody(
                b.Model, b.State, b.Rate, b.InFlight, b.Completed, b.Failed, b.BusySeconds, b.Health, b.DeviceErrors, b.Ailment))]))],
        silo.Problems,
        silo.IsDrained);

    /// <summary>The host of a silo's address, which Orleans writes as <c>10.0.0.1:11111@generation</c>.</summary>
    private static string HostOf(string address) => address.LastIndexOf(':') is var port and > 0 ? address[..port] : address;

    /// <summary>Several silos report the same queue: the latest report of it counts.</summary>
    private static List<QueueReport> Queues(IReadOnlyList<SiloHistory> histories) =>
        [.. histories.OrderByDescending(static history => history.ReportedAt)
            .SelectMany(static history => history.Queues)
            .DistinctBy(static queue => queue.Model)
            .OrderBy(static queue => queue.Model, StringComparer.Ordinal)];

    private static IntervalBody Of(long start, Dictionary<long, Sum> sums)
    {
        var sum = sums.GetValueOrDefault(start);
        return new IntervalBody(
            DateTimeOffset.FromUnixTimeSeconds(start),
            WorkInterval.Seconds,
            sum?.Completed ?? 0,
            sum?.Failed ?? 0,
            sum?.Percentile(0.5),
            sum?.Percentile(0.95),
            sum?.BatchSize);
    }

    /// <summary>The work of all silos in one interval.</summary>
    private sealed class Sum
    {
        private readonly int[] _latencies = new int[LatencyClasses.Count];
        private int _batches;
        private int _batchPictures;

        public int Completed { get; private set; }

        public int Failed { get; private set; }

        public double? BatchSize => _batches == 0 ? null : (double)_batchPictures / _batches;

        public double? Percentile(double share) => LatencyClasses.Percentile(_latencies, share);

        public void Add(WorkInterval interval)
        {
            Completed += interval.Completed;
            Failed += interval.Failed;
            _batches += interval.Batches;
            _batchPictures += interval.BatchPictures;
            for (var i = 0; i < interval.Latencies.Count; i++)
            {
                // A silo of another version may have more classes: those above ours count in the last class.
                _latencies[Math.Clamp(interval.FirstLatency + i, 0, LatencyClasses.Count - 1)] += interval.Latencies[i];
            }
        }
    }
}
