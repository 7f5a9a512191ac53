namespace Detection.Grains.Pictures;

/// <summary>Settings of the picture store, section <c>Detection:Pictures</c>.</summary>
public sealed class PictureOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Detection:Pictures";

    /// <summary>How long a picture stays in Redis, 1 second to 1 day. It must outlast the longest wait in the queue.</summary>
    public TimeSpan Expiry { get; set; } = TimeSpan.FromMinutes(2);
}
