namespace Detection.Embedded;

/// <summary>A picture of the memory, with the requests and callers that it is for.</summary>
internal sealed class PictureEntry(string key, PictureBytes bytes)
{
    public string Key => key;

    public PictureBytes Bytes => bytes;

    public DateTimeOffset Expires { get; set; }

    /// <summary>Until then a request of a caller who has brought it may be accepted.</summary>
    public DateTimeOffset BroughtUntil { get; set; }

    /// <summary>It is kept until it expires, also when another request with it is refused.</summary>
    public bool WasAccepted { get; set; }

    /// <summary>Accepted requests that have not ended.</summary>
    public HashSet<string> NeededBy { get; } = new(StringComparer.Ordinal);

    /// <summary>Callers who have brought it since it was spare last, to whose shares it counts.</summary>
    public HashSet<string> HeldBy { get; } = new(StringComparer.Ordinal);

    /// <summary>Its place among the spare ones.</summary>
    public LinkedListNode<PictureEntry>? Spare { get; set; }
}
