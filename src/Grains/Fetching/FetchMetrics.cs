using System.Diagnostics.Metrics;
using Detection.Contracts.Fetching;

namespace Detection.Grains.Fetching;

/// <summary>Meter <c>Detection.Fetching</c>.</summary>
internal sealed class FetchMetrics(IMeterFactory meters)
{
    private readonly Histogram<double> _duration = meters.Create("Detection.Fetching").CreateHistogram<double>(
        "detection.fetch.duration", "s", "Time of fetching a picture from a URL and storing it, by outcome.");

    /// <summary>A fetch has ended; <paramref name="status"/> is <see langword="null"/> when it was cancelled or could not be stored.</summary>
    public void Ended(FetchStatus? status, TimeSpan duration) =>
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", status?.ToString() ?? "Aborted"));
}
