using System.Globalization;
using Detection.Testing;

namespace Detection.Soak;

/// <summary>Measures processes repeatedly, and compares the end of a run with its start.</summary>
internal sealed class Watch
{
    // An allocator does not return all memory at once, and the number of connections varies. A leak grows during the run.
    private const double MostGrowth = 0.25;
    private const long MostBytes = 96L << 20;
    private const int MostDescriptors = 24;
    private const int MostThreads = 12;

    private readonly Dictionary<string, int> _processes;
    private readonly List<(TimeSpan At, string Process, Measure Measure)> _samples = [];

    /// <param name="processes">Process ids by names.</param>
    public Watch(Dictionary<string, int> processes) => _processes = processes;

    /// <summary>Measures now.</summary>
    /// <param name="at">Time since the start of the run.</param>
    public void Sample(TimeSpan at)
    {
        foreach (var (name, id) in _processes)
        {
            try
            {
                _samples.Add((at, name, new Measure(ProcessMeasures.ResidentBytes(id), ProcessMeasures.Descriptors(id), ProcessMeasures.Threads(id))));
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                // The process has ended; another check reports it.
            }
        }
    }

    /// <summary>The medians of each process in a window after the warm-up and in the last window, and the values that grew beyond their limit.</summary>
    /// <param name="warm">End of the warm-up.</param>
    /// <param name="end">The end of the run.</param>
    public IEnumerable<(string Process, string What, string? Fault)> Compare(TimeSpan warm, TimeSpan end)
    {
        var window = (end - warm) / 3;
        foreach (var name in _processes.Keys)
        {
            if (Median(name, warm, warm + window) is not { } first || Median(name, end - window, end) is not { } last)
            {
                yield return (name, "", "was measured too seldom");
                continue;
            }

            var mostBytes = first.Bytes + (long)(first.Bytes * MostGrowth) + MostBytes;
            var what = string.Create(
                CultureInfo.InvariantCulture,
                $"memory {first.Bytes >> 20} → {last.Bytes >> 20} MiB (at most {mostBytes >> 20}), descriptors {first.Descriptors} → {last.Descriptors} (at most {first.Descriptors + MostDescriptors}), threads {first.Threads} → {last.Threads} (at most {first.Threads + MostThreads})");
            yield return (name, what,
                last.Bytes > mostBytes ? "memory grows"
                : last.Descriptors > first.Descriptors + MostDescriptors ? "descriptors grow"
                : last.Threads > first.Threads + MostThreads ? "threads grow"
                : null);
        }
    }

    /// <summary>The medians of a process's memory in a number of windows of the run, in MiB, to see whether it grows or varies.</summary>
    public string Trend(string process, TimeSpan end, int windows) => string.Join(' ', Enumerable.Range(0, windows)
        .Select(i => Median(process, end / windows * i, end / windows * (i + 1)))
        .Select(static median => median is { } measure ? (measure.Bytes >> 20).ToString(CultureInfo.InvariantCulture) : "?"));

    private Measure? Median(string process, TimeSpan from, TimeSpan to)
    {
        Measure[] measures = [.. _samples.Where(sample => sample.Process == process && sample.At >= from && sample.At <= to).Select(static sample => sample.Measure)];
        return measures.Length < 3 ? null : new Measure(
            Middle(measures.Select(static measure => measure.Bytes)),
            (int)Middle(measures.Select(static measure => (long)measure.Descriptors)),
            (int)Middle(measures.Select(static measure => (long)measure.Threads)));
    }

    private static long Middle(IEnumerable<long> numbers)
    {
        long[] sorted = [.. numbers.Order()];
        return sorted[sorted.Length / 2];
    }

    private readonly record struct Measure(long Bytes, int Descriptors, int Threads);
}
