namespace Detection.Grains.Batching;

/// <summary>A lease and the in-flight list that it protects.</summary>
internal sealed class HeldLease(string id)
{
    private int _over;
    private int _settles;

    public string Id => id;

    /// <summary>A number for the next settle under this lease.</summary>
    public int NextSettle() => Interlocked.Increment(ref _settles);

    public LeaseOver Over => (LeaseOver)Volatile.Read(ref _over);

    public void End(LeaseOver over)
    {
        // More than one batch may say so at once; either is true.
        if (over > Over)
        {
            Volatile.Write(ref _over, (int)over);
        }
    }
}

/// <summary>Whether a lease is used any more; what comes later weighs more.</summary>
internal enum LeaseOver
{
    No,

    /// <summary>
    /// An answer of Redis was lost, so that items may stand in the in-flight list that nobody works on. Once the others have ended,
    /// those go back to the queue.
    /// </summary>
    Unclear,

    /// <summary>A batch broke off. The lease is left to end, so that an attempt is counted for what it held.</summary>
    Broken,

    /// <summary>It has ended: what it protected is somebody else's.</summary>
    Lost,
}
