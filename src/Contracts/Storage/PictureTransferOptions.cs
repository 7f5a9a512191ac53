using System.ComponentModel.DataAnnotations;

namespace Detection.Contracts.Storage;

/// <summary>Transfers of pictures between a process and Redis: section <c>Detection:PictureTransfer</c>.</summary>
public sealed class PictureTransferOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:PictureTransfer";

    /// <summary>Maximum number of concurrent transfers to Redis, and maximum number from it.</summary>
    [Range(1, 256)]
    public int MaxAtOnce { get; set; } = 4;

    /// <summary>
    /// Slowest link, in bytes per second of this process. A transfer that takes longer than its size needs at this rate, with
    /// <see cref="MaxAtOnce"/> of that size sharing the link and the connection's timeout on top, is given up.
    /// </summary>
    [Range(1_000, int.MaxValue)]
    public int MinBytesPerSecond { get; set; } = 1_000_000;
}
