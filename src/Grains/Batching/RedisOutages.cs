namespace Detection.Grains.Batching;

/// <summary>
/// What a batcher notices of outages of Redis. Leases cannot be renewed during an outage, so that those that ended then say nothing about
/// their batchers, and what they protected is returned without counting an attempt.
/// </summary>
/// <param name="lease">Lifetime of a lease.</param>
/// <param name="time">The clock.</param>
internal sealed class RedisOutages(TimeSpan lease, TimeProvider time)
{
    private long _noticed;

    /// <summary>Redis did not answer, or this batcher's own lease ended while it lived.</summary>
    public void Noticed() => Volatile.Write(ref _noticed, time.GetTimestamp());

    /// <summary>Whether leases that are found ended now may have ended because of an outage: one was noticed within two lifetimes of a lease.</summary>
    public bool EndedLeases => Volatile.Read(ref _noticed) is var noticed and not 0 && time.GetElapsedTime(noticed) < 2 * lease;
}
