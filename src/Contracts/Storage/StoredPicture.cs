namespace Detection.Contracts.Storage;

/// <summary>How long a picture is kept before it is known that a request needs it.</summary>
public static class StoredPicture
{
    /// <summary>
    /// Whoever brings a picture keeps it for this long. Once a request with it is accepted it is kept as long as the silos' setting says;
    /// that is longer, so that what is left of a picture's time tells whether it belongs to an accepted request.
    /// </summary>
    public static readonly TimeSpan UnacceptedExpiry = TimeSpan.FromSeconds(30);

    /// <summary>The picture of a known result is kept for so long after it was sent again, so that it can be drawn.</summary>
    public static readonly TimeSpan KnownExpiry = TimeSpan.FromMinutes(2);
}
