using System.ComponentModel.DataAnnotations;

namespace Detection.Grains.Batching;

/// <summary>Batchers: section <c>Detection:Batching</c>.</summary>
public sealed class BatcherOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Batching";

    /// <summary>Most pictures in a batch.</summary>
    [Range(1, 1024)]
    public int MaxBatch { get; set; } = 32;

    /// <summary>
    /// How long an idle device waits for a batch to fill before it takes what is there. Zero serves a single picture fastest;
    /// batches form by themselves while the device is busy.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan MaxBatchDelay { get; set; } = TimeSpan.Zero;

    /// <summary>
    /// Without a completed picture for this long, a batcher that holds some is said to be stuck. It then gives up its lease, so that
    /// others take over what it holds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stopping batcher waits for what is on the device before it leaves the rest to its lease; before that, a process that is the whole cluster for what it has accepted.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
