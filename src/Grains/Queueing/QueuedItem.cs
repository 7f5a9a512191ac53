using System.Globalization;
using Detection.Contracts.Requests;

namespace Detection.Grains.Queueing;

/// <summary>A request in the queue.</summary>
/// <param name="Key">Identity of the request.</param>
/// <param name="Deadline">Its deadline, by the <see cref="Contracts.Storage.ClusterClock"/>.</param>
/// <param name="EnqueuedAt">When it entered the queue, by the same clock.</param>
/// <param name="TraceParent">W3C trace context of the caller; <see langword="null"/> for none.</param>
/// <param name="Attempts">How often the lease of its batcher expired.</param>
/// <param name="Caller">The caller whose share of the queue is used; <see langword="null"/> for a caller without a name.</param>
public sealed record QueuedItem(
    RequestKey Key,
    DateTimeOffset Deadline,
    DateTimeOffset EnqueuedAt,
    string? TraceParent = null,
    int Attempts = 0,
    string? Caller = null)
{
    /// <summary>
    /// The part of the mark after the times. The mark exists in Redis while the item waits or is processed. It is
    /// <c>deadline|enqueued|traceparent</c>, in unix ms of Redis, and <c>|caller</c> for a named caller. The scripts write and read it.
    /// </summary>
    internal string MarkEnd => Caller is null ? TraceParent ?? "" : $"{TraceParent}|{Caller}";

    /// <summary>Reads a mark; <see langword="null"/> when the text is not a mark, for example because the mark has expired.</summary>
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
