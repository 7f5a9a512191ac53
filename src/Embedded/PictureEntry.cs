namespace Detection.Embedded;

/// <summary>A picture in the memory, with the requests and callers that use it.</summary>
internal sealed class PictureEntry(string key, PictureBytes bytes)
{
    public string Key => key;

    public PictureBytes Bytes => bytes;

    public DateTimeOffset Expires { get; set; }

    /// <summary>A caller has sent it for a request that is not accepted yet. Until this time it is kept for that request.</summary>
    public DateTimeOffset PendingUntil { get; set; }

    /// <summary>Whether a request was accepted with it. It is then kept until it expires, even if another request with it is refused.</summary>
    public bool WasAccepted { get; set; }

    /// <summary>Accepted requests that have not ended.</summary>
    public HashSet<string> NeededBy { get; } = new(StringComparer.Ordinal);

    /// <summary>Callers to whose shares it counts: those that sent it since it was last spare.</summary>
    public HashSet<string> HeldBy { get; } = new(StringComparer.Ordinal);

    /// <summary>Its node in the list of spare pictures.</summary>
    public LinkedListNode<PictureEntry>? Spare { get; set; }
}
