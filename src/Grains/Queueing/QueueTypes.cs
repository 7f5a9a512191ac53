using Detection.Contracts.Requests;

namespace Detection.Grains.Queueing;

/// <summary>What became of an attempt to enqueue.</summary>
public enum EnqueueOutcome
{
    /// <summary>Too many wait.</summary>
    Full,

    /// <summary>In the queue now.</summary>
    Queued,

    /// <summary>It was waiting or running already.</summary>
    AlreadyThere,

    /// <summary>The caller has used its share of the queue; others are still accepted.</summary>
    ShareUsed,

    /// <summary>There is a result for it already.</summary>
    AlreadyDone,

    /// <summary>It was given up as poison a while ago.</summary>
    Poison,

    /// <summary>More stand before it than may.</summary>
    TooLate,

    /// <summary>More of its caller stand before it than may.</summary>
    OwnTooLate,
}

/// <summary>What became of an attempt to enqueue.</summary>
/// <param name="Outcome">What.</param>
/// <param name="Place">The item's place when it was queued, else how many would be served before it.</param>
/// <param name="Deadline">The deadline of an item that waits or runs: the latest of its callers.</param>
public readonly record struct Enqueued(EnqueueOutcome Outcome, int Place, DateTimeOffset Deadline);

/// <summary>Items that a batcher has claimed.</summary>
/// <param name="LeaseHeld">Whether the batcher's lease was alive; nothing is claimed without one.</param>
/// <param name="Items">The claimed items.</param>
/// <param name="Void">Claimed items that expired or were withdrawn: to be settled without a result.</param>
/// <param name="Waiting">Items left in the queue.</param>
public sealed record Claim(bool LeaseHeld, IReadOnlyList<QueuedItem> Items, IReadOnlyList<RequestKey> Void, int Waiting);

/// <summary>A queue at one instant.</summary>
/// <param name="Length">Items that wait.</param>
/// <param name="Oldest">How long the oldest has waited; zero when none waits.</param>
/// <param name="GivenUp">Items on the list of those that were given up.</param>
public readonly record struct QueueState(int Length, TimeSpan Oldest, int GivenUp);

/// <summary>How an item ends.</summary>
/// <param name="Key">The item.</param>
/// <param name="Result">The serialized result to publish; empty to publish none.</param>
/// <param name="Expired">It ends because its deadline passed, as far as the batcher knows.</param>
/// <param name="PictureLostAt">
/// It ends because its picture was not kept any more: the deadline that it had when it was claimed. A caller who joined since then, and so
/// extended the deadline, has brought the picture. <see langword="null"/> when it ends otherwise.
/// </param>
public readonly record struct Settlement(RequestKey Key, ReadOnlyMemory<byte> Result, bool Expired = false, DateTimeOffset? PictureLostAt = null);

/// <summary>What became of an item that was to end.</summary>
public enum SettleOutcome
{
    /// <summary>The batcher no longer held the item; nothing was changed.</summary>
    NotHeld,

    /// <summary>It has ended.</summary>
    Settled,

    /// <summary>Its deadline has been extended since it was claimed: it is back in the queue.</summary>
    Returned,
}

/// <summary>What was done about a batcher.</summary>
/// <param name="Alive">Its lease holds; nothing was done.</param>
/// <param name="Returned">Items returned to the queue.</param>
/// <param name="Poison">Items given up.</param>
public sealed record Reclaimed(bool Alive, int Returned, IReadOnlyList<RequestKey> Poison);

/// <summary>What became of an item that a device failed on.</summary>
public enum ReturnOutcome
{
    /// <summary>It was not the batcher's any more.</summary>
    NotHeld,

    /// <summary>Back at the head of its caller's list.</summary>
    Returned,

    /// <summary>It failed too often.</summary>
    GivenUp,
}
