namespace Detection.Grains.Batching;

/// <summary>
/// How many items a batcher claims at once. After a batch with deferred pictures, only as many as it started, so that the others are not fetched
/// again and again; after each batch without deferred pictures, twice as many.
/// </summary>
internal sealed class ClaimSize
{
    private readonly int _max;
    private int _next;

    /// <param name="most">Maximum number of items of a claim, at least 1.</param>
    public ClaimSize(int most) => _max = _next = most;

    /// <summary>Maximum number of items of the next claim, at least 1.</summary>
    public int Next => Volatile.Read(ref _next);

    /// <summary>A batch has ended.</summary>
    /// <param name="begun">Items that were started.</param>
    /// <param name="deferred">Items that were deferred.</param>
    public void Ended(int begun, int deferred) =>
        Volatile.Write(ref _next, deferred > 0 ? Math.Clamp(begun, 1, _max) : Math.Min(_max, 2 * Next));
}
