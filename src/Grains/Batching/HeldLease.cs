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
        // Several batches may end it at once.
        for (var before = State; state > before; before = State)
        {
            if (Interlocked.CompareExchange(ref _state, (int)state, (int)before) == (int)before)
            {
                return;
            }
        }
    }
}

/// <summary>The state of a lease. A later member overrides an earlier one.</summary>
internal enum LeaseState
{
    /// <summary>It protects the items that are claimed under it.</summary>
    Held,

    /// <summary>
    /// An answer of Redis was lost, so the in-flight list may contain items that no batch processes. They return to the queue after the other items
    /// have ended.
    /// </summary>
    Uncertain,

    /// <summary>A batch failed. The lease expires, so that an attempt is counted for its items.</summary>
    Failed,

    /// <summary>It has expired: its items were reclaimed.</summary>
    Lost,
}
