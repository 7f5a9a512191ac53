namespace Detection.Grains.Batching;

/// <summary>
/// How many items a batcher claims at once. After a batch of which costly pictures were deferred only as many as were begun, so that
/// their bytes do not travel again and again; then twice as many with each batch of which none was.
/// </summary>
internal sealed class ClaimSize
{
    private readonly int _max;
    private int _next;

    /// <param name="most">Most items of a claim, at least 1.</param>
    public ClaimSize(int most) => _max = _next = most;

    /// <summary>Most items of the next claim, at least 1.</summary>
    public int Next => Volatile.Read(ref _next);

    /// <summary>A batch has ended.</summary>
    /// <param name="begun">Items that were begun.</param>
    /// <param name="deferred">Items that were not.</param>
    public void Ended(int begun, int deferred) =>
        Volatile.Write(ref _next, deferred > 0 ? Math.Clamp(begun, 1, _max) : Math.Min(_max, 2 * Next));
}
