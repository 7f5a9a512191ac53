using Detection.Contracts.Requests;

namespace Detection.Grains.Queueing;

/// <summary>The outcome of an attempt to enqueue.</summary>
public enum EnqueueOutcome
{
    /// <summary>The queue is full.</summary>
    Full,

    /// <summary>In the queue now.</summary>
    Queued,

    /// <summary>It was already waiting or being processed.</summary>
    AlreadyThere,

    /// <summary>The caller has used its share of the queue; others are still accepted.</summary>
    ShareUsed,

    /// <summary>There is already a result for it.</summary>
    AlreadyDone,

    /// <summary>It is poison, and refused for a while.</summary>
    Poison,

    /// <summary>More items are before it than the limit allows.</summary>
    TooLate,

    /// <summary>More items of its caller are before it than the limit allows.</summary>
    OwnTooLate,
}

/// <summary>The outcome of an attempt to enqueue.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Place">The item's place when it was queued, otherwise the number of items that would be served before it.</param>
/// <param name="Deadline">The deadline of an item that waits or is processed: the latest of its callers.</param>
public readonly record struct Enqueued(EnqueueOutcome Outcome, int Place, DateTimeOffset Deadline);

/// <summary>Items that a batcher has claimed.</summary>
/// <param name="LeaseHeld">Whether the batcher's lease was held; without a lease nothing is claimed.</param>
/// <param name="Items">The claimed items.</param>
/// <param name="Void">Claimed items that expired or were withdrawn. They must be settled without a result.</param>
/// <param name="Waiting">Items left in the queue.</param>
public sealed record Claim(bool LeaseHeld, IReadOnlyList<QueuedItem> Items, IReadOnlyList<RequestKey> Void, int Waiting);

/// <summary>A queue at one point in time.</summary>
/// <param name="Length">Items that wait.</param>
/// <param name="Oldest">How long the oldest has waited; zero when none waits.</param>
/// <param name="DeadLetters">Dead letters in the list of the model.</param>
public readonly record struct QueueState(int Length, TimeSpan Oldest, int DeadLetters);

/// <summary>The final state of an item.</summary>
/// <param name="Key">The item.</param>
/// <param name="Result">The serialized result to publish; empty to publish none.</param>
/// <param name="Expired">Whether its deadline has passed, as far as the batcher knows.</param>
/// <param name="PictureLostAt">
/// The item ends because its picture was not stored any more: the deadline that the item had when it was claimed. A caller who joined since then has
/// extended the deadline and stored the picture again. <see langword="null"/> when the item ends otherwise.
/// </param>
public readonly record struct Settlement(RequestKey Key, ReadOnlyMemory<byte> Result, bool Expired = false, DateTimeOffset? PictureLostAt = null);

/// <summary>The outcome of a settle.</summary>
public enum SettleOutcome
{
    /// <summary>The batcher no longer held the item; nothing was changed.</summary>
    NotHeld,

    /// <summary>It has ended.</summary>
    Settled,

    /// <summary>Its deadline was extended after it was claimed: it returned to the queue.</summary>
    Returned,
}

/// <summary>The outcome of a reclaim.</summary>
/// <param name="Alive">Its lease is held; nothing was done.</param>
/// <param name="Returned">Items returned to the queue.</param>
/// <param name="Poison">Items that became dead letters.</param>
public sealed record Reclaimed(bool Alive, int Returned, IReadOnlyList<RequestKey> Poison);

/// <summary>The outcome of a return, for an item on which a device failed.</summary>
public enum ReturnOutcome
{
    /// <summary>The batcher no longer held the item.</summary>
    NotHeld,

    /// <summary>It returned to the head of its caller's list.</summary>
    Returned,

    /// <summary>It failed too often and became a dead letter.</summary>
    DeadLetter,
}
