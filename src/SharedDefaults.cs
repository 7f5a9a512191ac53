namespace Detection;

/// <summary>
/// Defaults of settings that stand in projects which do not know each other: the file is compiled into each of them.
/// </summary>
internal static class SharedDefaults
{
    /// <summary>Most bytes of a picture.</summary>
    public const int MaxPictureBytes = 20 * 1024 * 1024;

    /// <summary>Model of a request that names none, and the one that a silo reads first.</summary>
    public const string Model = "nanodet-g";
}
