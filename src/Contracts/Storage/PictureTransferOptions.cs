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
    /// Slowest expected link of this process, in bytes per second. A transfer is cancelled when it takes longer than <see cref="MaxAtOnce"/>
    /// pictures of its size need at this rate, plus the connection's timeout.
    /// </summary>
    [Range(1_000, int.MaxValue)]
    public int MinBytesPerSecond { get; set; } = 1_000_000;
}
