using System.ComponentModel.DataAnnotations;

namespace Detection.Frontend.Api.Batches;

/// <summary>Requests with many pictures: section <c>Detection:Batches</c>.</summary>
public sealed class BatchOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Batches";

    /// <summary>Maximum number of pictures of one request. 1 to 100000; default 1000.</summary>
    [Range(1, 100_000)]
    public int MaxPictures { get; set; } = 1000;

    /// <summary>Number of pictures of one request that are processed at the same time. Memory holds one more. 1 to 256; default 8.</summary>
    [Range(1, 256)]
    public int MaxConcurrent { get; set; } = 8;
}
