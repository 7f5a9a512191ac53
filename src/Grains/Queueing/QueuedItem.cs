using System.Globalization;
using Detection.Contracts.Requests;

namespace Detection.Grains.Queueing;

/// <summary>A request in the queue.</summary>
/// <param name="Key">What is asked for.</param>
/// <param name="Deadline">When the answer is of no use any more, by the <see cref="Contracts.Storage.ClusterClock"/>.</param>
/// <param name="EnqueuedAt">When it entered the queue, by the same clock.</param>
/// <param name="TraceParent">W3C trace context of the caller; <see langword="null"/> for none.</param>
/// <param name="Attempts">How many batchers died while they held it.</param>
/// <param name="Caller">Whose share of the queue it takes; <see langword="null"/> for a caller without a name.</param>
public sealed record QueuedItem(
    RequestKey Key,
    DateTimeOffset Deadline,
    DateTimeOffset EnqueuedAt,
    string? TraceParent = null,
    int Attempts = 0,
    string? Caller = null)
{
    /// <summary>
    /// What follows the times in the mark that stands in Redis while the item waits or runs. The mark is
    /// <c>deadline|enqueued|traceparent</c>, unix ms of Redis, and <c>|caller</c> when it has one. The scripts write and read it.
    /// </summary>
    internal string MarkEnd => Caller is null ? TraceParent ?? "" : $"{TraceParent}|{Caller}";

    /// <summary>Reads a mark; <see langword="null"/> when it is none, as for an item whose mark is gone.</summary>
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
