namespace Detection.Embedded;

/// <summary>Whether the picture memory has room for a picture.</summary>
internal enum PictureRoom
{
    /// <summary>It has.</summary>
    Free,

    /// <summary>Pictures that requests need take all of it.</summary>
    Full,

    /// <summary>The caller's share of it is used.</summary>
    ShareUsed,

    /// <summary>It takes no new pictures, because there is no room for their requests.</summary>
    Closed,
}
