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
    /// How much of the queue one named caller may fill when he is alone. With others he may fill the same share of what they leave
    /// him, so that however many there are, one more finds room. 1: as much as there is. Callers without a name have no such limit.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>
    /// How long a batcher may be silent before others take over what it holds. It renews its lease four times in that span.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>How often the batcher of a request may die before the request is given up as poison.</summary>
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
    /// How often a batcher looks into the queue without having been woken: the safety net under lost wake-ups.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);
}
