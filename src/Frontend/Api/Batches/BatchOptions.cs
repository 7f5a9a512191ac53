using System.ComponentModel.DataAnnotations;

namespace Detection.Frontend.Api.Batches;

/// <summary>Requests with many pictures: section <c>Detection:Batches</c>.</summary>
public sealed class BatchOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Batches";

    /// <summary>Most pictures of one request. 1 to 100000; default 1000.</summary>
    [Range(1, 100_000)]
    public int MaxPictures { get; set; } = 1000;

    /// <summary>Pictures of one request that are worked on at the same time; so many, and one more, are held in memory. 1 to 256; default 8.</summary>
    [Range(1, 256)]
    public int MaxConcurrent { get; set; } = 8;
}
