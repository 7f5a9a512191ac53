using System.ComponentModel.DataAnnotations;

namespace Detection.Grains.Queueing;

/// <summary>The queue: section <c>Detection:Queue</c>.</summary>
public sealed class QueueOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Queue";

    /// <summary>Most requests of one model that may wait, over the whole cluster. A further one is refused at once.</summary>
    [Range(1, 1_000_000)]
    public int Capacity { get; set; } = 256;

    /// <summary>
    /// Share of the queue that one named caller may fill. With others it may fill the same share of what they leave, so that there is
    /// always room for one more. 1: the whole queue. Callers without a name have no such limit.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>
    /// Lifetime of a batcher's lease. When it expires other batchers reclaim its items. It is renewed four times in that span.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Attempts of a request: how often the lease of its batcher may expire before it becomes a dead letter.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>How long a picture that was given up as poison is refused.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan PoisonExpiry { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Most entries of a model's list of requests that were given up.</summary>
    [Range(1, 1_000_000)]
    public int DeadLetters { get; set; } = 1000;

    /// <summary>How long that list is kept after its last entry.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan DeadLetterExpiry { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Interval at which an idle batcher polls the queue when no wake-up arrives.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);
}
