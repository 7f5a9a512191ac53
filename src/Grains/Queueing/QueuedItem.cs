using System.Globalization;
using Detection.Contracts.Requests;

namespace Detection.Grains.Queueing;

/// <summary>A request in the queue.</summary>
/// <param name="Key">What is asked for.</param>
/// <param name="Deadline">When the answer is of no use any more.</param>
/// <param name="EnqueuedAt">When it entered the queue.</param>
/// <param name="TraceParent">W3C trace context of whoever asked; <see langword="null"/> for none.</param>
/// <param name="Attempts">How many batchers died while they held it.</param>
/// <param name="Caller">Whose share of the queue it takes; <see langword="null"/> for nobody in particular.</param>
public sealed record QueuedItem(
    RequestKey Key,
    DateTimeOffset Deadline,
    DateTimeOffset EnqueuedAt,
    string? TraceParent = null,
    int Attempts = 0,
    string? Caller = null)
{
    /// <summary>
    /// The mark that stands in Redis while the item waits or runs: <c>deadline|enqueued|traceparent</c>, unix ms, and <c>|caller</c>
    /// when it has one. The scripts read it as well.
    /// </summary>
    internal string Mark => string.Create(
        CultureInfo.InvariantCulture,
        $"{Deadline.ToUnixTimeMilliseconds()}|{EnqueuedAt.ToUnixTimeMilliseconds()}|{TraceParent}{(Caller is null ? "" : "|")}{Caller}");

    /// <summary>Reads a mark; <see langword="null"/> when it is none, as for an item that expired or was withdrawn.</summary>
    internal static QueuedItem? Read(RequestKey key, string mark, int attempts)
    {
        var parts = mark.Split('|', 4);
        return parts.Length >= 3
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var deadline)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var enqueued)
            ? new QueuedItem(
                key,
                DateTimeOffset.FromUnixTimeMilliseconds(deadline),
                DateTimeOffset.FromUnixTimeMilliseconds(enqueued),
                parts[2].Length == 0 ? null : parts[2],
                attempts,
                parts.Length == 3 ? null : parts[3])
            : null;
    }
}
