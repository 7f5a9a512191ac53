using System.ComponentModel.DataAnnotations;

namespace Detection.Contracts.Storage;

/// <summary>Settings of the picture store, section <c>Detection:Pictures</c>.</summary>
public sealed class PictureOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Detection:Pictures";

    /// <summary>How long the picture of an accepted request stays in Redis, 90 seconds to 1 day. It must be longer than the longest wait in the queue.</summary>
    [Range(typeof(TimeSpan), "00:01:30", "1.00:00:00")]
    public TimeSpan Expiry { get; set; } = TimeSpan.FromMinutes(2);
}
