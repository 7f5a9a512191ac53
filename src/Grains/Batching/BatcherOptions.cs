using System.ComponentModel.DataAnnotations;

namespace Detection.Grains.Batching;

/// <summary>Batchers: section <c>Detection:Batching</c>.</summary>
public sealed class BatcherOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Batching";

    /// <summary>Maximum number of pictures in a batch.</summary>
    [Range(1, 1024)]
    public int MaxBatch { get; set; } = 32;

    /// <summary>
    /// How long an idle device waits for a batch to fill before it takes the pictures that are there. Zero is fastest for a single picture; batches
    /// form by themselves while the device is busy.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan MaxBatchDelay { get; set; } = TimeSpan.Zero;

    /// <summary>
    /// A batcher that has claimed pictures and completed none for this long is stuck. It then stops renewing its lease, so that other batchers
    /// reclaim its items.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a stopping batcher waits for the pictures on the device before it leaves them to its lease. A process that is the whole cluster first
    /// waits this long for the requests that it has accepted.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
