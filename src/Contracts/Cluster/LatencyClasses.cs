namespace Detection.Contracts.Cluster;

/// <summary>
/// Latencies counted in classes, so that what several silos counted can be added up and percentiles read from the sum. Two classes
/// for each doubling: class 0 ends at 1 ms, class <c>i</c> at 2^(i/2) ms, and the last takes all above. A percentile read from them
/// is at most 42 % above the true one.
/// </summary>
public static class LatencyClasses
{
    /// <summary>Number of classes; the last begins at 65 s, above any deadline.</summary>
    public const int Count = 34;

    /// <summary>The class of a latency.</summary>
    public static int Of(TimeSpan latency)
    {
        var milliseconds = latency.TotalMilliseconds;
        return milliseconds <= 1 ? 0 : Math.Min(Count - 1, (int)Math.Ceiling(2 * Math.Log2(milliseconds)));
    }

    /// <summary>End of a class in seconds.</summary>
    public static double End(int index) => Math.Pow(2, index / 2.0) / 1000;

    /// <summary>The latency in seconds below which <paramref name="share"/> of what was counted lies, interpolated within its class.</summary>
    /// <param name="counts">How many of each class.</param>
    /// <param name="share">0 to 1.</param>
    /// <returns><see langword="null"/> when nothing was counted.</returns>
    public static double? Percentile(ReadOnlySpan<int> counts, double share)
    {
        long all = 0;
        foreach (var count in counts)
        {
            all += count;
        }

        if (all == 0)
        {
            return null;
        }

        var wanted = share * all;
        double seen = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            if (counts[i] > 0 && seen + counts[i] >= wanted)
            {
                var start = i == 0 ? 0 : End(i - 1);
                return start + ((End(i) - start) * Math.Max(0, wanted - seen) / counts[i]);
            }

            seen += counts[i];
        }

        return End(counts.Length - 1);
    }
}
