namespace Detection.Grains.Batching;

/// <summary>A lease and the in-flight list that it protects.</summary>
internal sealed class HeldLease(string id)
{
    private int _state;
    private int _settles;

    public string Id => id;

    /// <summary>A number for the next settle under this lease.</summary>
    public int NextSettle() => Interlocked.Increment(ref _settles);

    public LeaseState State => (LeaseState)Volatile.Read(ref _state);

    public void End(LeaseState state)
    {
        // More than one batch may say so at once; either is true.
        if (state > State)
        {
            Volatile.Write(ref _state, (int)state);
        }
    }
}

/// <summary>Whether a lease is used; what comes later weighs more.</summary>
internal enum LeaseState
{
    /// <summary>It protects what is claimed under it.</summary>
    Held,

    /// <summary>
    /// An answer of Redis was lost, so that the in-flight list may have items that no batch works on. They return to the queue when the
    /// other items have ended.
    /// </summary>
    Uncertain,

    /// <summary>A batch failed. The lease is left to expire, so that an attempt is counted for its items.</summary>
    Failed,

    /// <summary>It has expired: its items were reclaimed.</summary>
    Lost,
}
