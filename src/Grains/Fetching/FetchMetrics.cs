using System.Diagnostics.Metrics;
using Detection.Contracts.Fetching;
using Detection.Contracts.Sharing;

namespace Detection.Grains.Fetching;

/// <summary>Meter <c>Detection.Fetching</c>.</summary>
internal sealed class FetchMetrics
{
    private const string Limit = "limit";

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _limited;

    public FetchMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("Detection.Fetching");
        _duration = _meter.CreateHistogram<double>(
            "detection.fetch.duration", "s", "Time of fetching a picture from a URL and storing it, by outcome.");
        _limited = _meter.CreateCounter<long>(
            "detection.fetch.limited", "{fetch}", "Fetches that got no place in time, by the limit that was reached: caller, site or all.");
    }

    /// <summary>
    /// Observes how many places are used and waited for. Rare events are shown as 0 from then on, so that the first one is visible as an increase.
    /// </summary>
    public SharedPlaces Watch(SharedPlaces places)
    {
        _meter.CreateObservableGauge("detection.fetch.running", () => places.Held, "{fetch}", "Fetches under way in this silo.");
        _meter.CreateObservableGauge("detection.fetch.waiting", () => places.Waiting, "{fetch}", "Fetches that wait for a place in this silo.");
        foreach (var limit in (PlaceLimit[])[PlaceLimit.Caller, PlaceLimit.Site, PlaceLimit.All])
        {
            _limited.Add(0, new KeyValuePair<string, object?>(Limit, Name(limit)));
        }

        return places;
    }

    /// <summary>A fetch has ended; <paramref name="status"/> is <see langword="null"/> when it was cancelled or could not be stored.</summary>
    public void Ended(FetchStatus? status, TimeSpan duration) =>
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", status?.ToString() ?? "Aborted"));

    /// <summary>A fetch got no place in time.</summary>
    public void NoPlace(PlaceLimit limit) => _limited.Add(1, new KeyValuePair<string, object?>(Limit, Name(limit)));

    private static string Name(PlaceLimit limit) => limit switch { PlaceLimit.Caller => "caller", PlaceLimit.Site => "site", _ => "all" };
}
