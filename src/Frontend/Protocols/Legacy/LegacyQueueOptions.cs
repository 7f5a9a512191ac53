using System.ComponentModel.DataAnnotations;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>
/// The Redis list of the replaced system: section <c>Detection:Legacy</c>. It is served when <c>Detection:LegacyQueue</c> is true.
/// </summary>
public sealed class LegacyQueueOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Legacy";

    /// <summary>Setting that turns on this protocol. Default false.</summary>
    public const string Switch = "Detection:LegacyQueue";

    /// <summary>Key of the Redis list. Its oldest item is at its right end. Default <c>imageQueue</c>.</summary>
    [Required, StringLength(200)]
    public string Queue { get; set; } = "imageQueue";

    /// <summary>How long an answer stays in Redis. 5 s to 1 day; default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "1.00:00:00")]
    public TimeSpan ResultExpiry { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Maximum time from taking an item to its answer. While the cluster is too busy, the item is retried until then. 1 s to 60 s; default 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Maximum number of items that this front end processes at the same time; the others stay in the list. 1 to 1024; default 32.</summary>
    [Range(1, 1024)]
    public int MaxConcurrent { get; set; } = 32;

    /// <summary>
    /// Longest pause between two reads of an empty list. The list must be polled, because Redis sends no message when an item is pushed. The
    /// pauses begin at a tenth of this time and grow. 1 ms to 1 s; default 50 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:01")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Lifetime of a front end's lease. When it expires, another front end takes over its items. 1 s to 1 min; default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(10);
}
