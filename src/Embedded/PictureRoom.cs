namespace Detection.Embedded;

/// <summary>Whether the picture memory has room for a picture.</summary>
internal enum PictureRoom
{
    /// <summary>There is room.</summary>
    Free,

    /// <summary>All of the memory is used by pictures that requests need.</summary>
    Full,

    /// <summary>The caller's share of it is used.</summary>
    ShareUsed,

    /// <summary>No new pictures are accepted, because there is no room for their requests.</summary>
    Closed,
}
