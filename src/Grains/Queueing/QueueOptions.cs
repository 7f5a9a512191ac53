using System.ComponentModel.DataAnnotations;

namespace Detection.Grains.Queueing;

/// <summary>The queue: section <c>Detection:Queue</c>.</summary>
public sealed class QueueOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Queue";

    /// <summary>Maximum number of waiting requests of one model, in the whole cluster. Further requests are refused at once.</summary>
    [Range(1, 1_000_000)]
    public int Capacity { get; set; } = 256;

    /// <summary>
    /// Share of the queue that one named caller may hold, of what the other callers leave, so that there is always room for one more caller.
    /// 1: no limit. Callers without a name have no such limit.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>
    /// Lifetime of a batcher's lease. The batcher renews it four times in this time. When it expires, other batchers reclaim its items.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Attempts of a request: how often the lease of its batcher may expire before it becomes a dead letter.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>How long a picture that became a dead letter is refused.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan PoisonExpiry { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Maximum number of entries in a model's list of dead letters.</summary>
    [Range(1, 1_000_000)]
    public int DeadLetters { get; set; } = 1000;

    /// <summary>How long this list is kept after its last entry.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan DeadLetterExpiry { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Maximum number of poison pictures that the whole cluster keeps for administrators; 0 for none.</summary>
    [Range(0, 1000)]
    public int DeadLetterPictures { get; set; } = 10;

    /// <summary>How long each of them is kept.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan DeadLetterPictureExpiry { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Interval at which an idle batcher polls the queue when no wake-up arrives.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);
}
