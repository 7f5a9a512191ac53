using System.Collections.Immutable;
using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;

namespace Detection.Grains.Batching;

/// <summary>
/// What this silo's batchers did during the last five minutes. This is the only place that counts throughput and latency per interval;
/// <see cref="LatencyClasses"/> describes how the counts of several silos are combined.
/// </summary>
internal sealed class RecentWork(ClusterClock time)
{
    private const int Intervals = 60;
    private const int Failures = 10;

    private readonly Lock _gate = new();
    private readonly Interval[] _ring = [.. Enumerable.Range(0, Intervals).Select(static _ => new Interval())];
    private ImmutableList<FailedPicture> _failures = [];

    /// <summary>A picture has ended.</summary>
    /// <param name="latency">Time from entering the queue to the end.</param>
    /// <param name="failed">Whether it failed or expired.</param>
    public void Ended(TimeSpan latency, bool failed)
    {
        lock (_gate)
        {
            var now = Current();
            now.Completed++;
            now.Failed += failed ? 1 : 0;
            now.Latencies[LatencyClasses.Of(latency)]++;
        }
    }

    /// <summary>A batch has ended.</summary>
    public void BatchEnded(int pictures)
    {
        lock (_gate)
        {
            var now = Current();
            now.Batches++;
            now.BatchPictures += pictures;
        }
    }

    /// <summary>A picture failed or expired.</summary>
    public void Failed(FailedPicture picture)
    {
        lock (_gate)
        {
            _failures = [picture, .. _failures.Take(Failures - 1)];
        }
    }

    /// <summary>All intervals and failures, for a report.</summary>
    public (IReadOnlyList<WorkInterval> Intervals, IReadOnlyList<FailedPicture> Failures) Read()
    {
        lock (_gate)
        {
            var oldest = Now() - ((Intervals - 1) * WorkInterval.Seconds);
            return (
                [.. _ring.Where(interval => interval.Start >= oldest && interval.Completed + interval.Batches > 0)
                    .OrderBy(static interval => interval.Start)
                    .Select(static interval => interval.Report())],
                _failures);
        }
    }

    private long Now() => time.GetUtcNow().ToUnixTimeSeconds() / WorkInterval.Seconds * WorkInterval.Seconds;

    private Interval Current()
    {
        var start = Now();
        var interval = _ring[start / WorkInterval.Seconds % Intervals];
        if (interval.Start != start)
        {
            interval.Begin(start);
        }

        return interval;
    }

    private sealed class Interval
    {
        public long Start { get; private set; }

        public int Completed { get; set; }

        public int Failed { get; set; }

        public int Batches { get; set; }

        public int BatchPictures { get; set; }

        public int[] Latencies { get; } = new int[LatencyClasses.Count];

        public void Begin(long start)
        {
            Start = start;
            Completed = Failed = Batches = BatchPictures = 0;
            Latencies.AsSpan().Clear();
        }

        public WorkInterval Report()
        {
            var first = Array.FindIndex(Latencies, static count => count > 0);
            var last = Array.FindLastIndex(Latencies, static count => count > 0);
            return new WorkInterval(
                Start, Completed, Failed, Batches, BatchPictures, Math.Max(0, first), first < 0 ? [] : Latencies[first..(last + 1)]);
        }
    }
}
