namespace Detection.Grains.Batching;

/// <summary>
/// Records the outages of Redis that a batcher notices. Leases cannot be renewed during an outage. So a lease that expired then is not a fault of its
/// batcher, and its items return to the queue without an attempt.
/// </summary>
internal sealed class RedisOutages(TimeSpan lease, TimeProvider time)
{
    private long _noticed;

    /// <summary>Redis did not answer, or this batcher's own lease expired while the batcher was alive.</summary>
    public void Noticed() => Volatile.Write(ref _noticed, time.GetTimestamp());

    /// <summary>
    /// Whether leases that have expired by now may have expired because of an outage: one was noticed within the last two lifetimes of a lease.
    /// </summary>
    public bool EndedLeases => Volatile.Read(ref _noticed) is var noticed and not 0 && time.GetElapsedTime(noticed) < 2 * lease;
}
