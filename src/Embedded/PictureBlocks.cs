namespace Detection.Embedded;

/// <summary>
/// Equal pieces of memory of which pictures are made, at most so many. What is given back is used again; what was not needed for a while
/// goes back to the system. Not for several threads at once.
/// </summary>
/// <param name="most">Most of them in use at once.</param>
internal sealed class PictureBlocks(int most)
{
    /// <summary>Bytes of a block.</summary>
    public const int Size = 32 * 1024;

    /// <summary>Rounds of <see cref="Trim"/> over which a block must have been of no use.</summary>
    private const int RoundsUntilTrimmed = 15;

    /// <summary>From so many bytes on the collector is asked to give them to the system.</summary>
    private const int WorthCollecting = 16 * 1024 * 1024;

    private readonly Stack<byte[]> _free = new();
    private int _fewestFree;
    private int _rounds;

    /// <summary>Blocks that are reserved.</summary>
    public int Used { get; private set; }

    /// <summary>Blocks that can be reserved.</summary>
    public int Left => most - Used;

    /// <summary>Blocks that so many bytes take.</summary>
    public static int For(int bytes) => Math.Max(1, (int)(((long)bytes + Size - 1) / Size));

    /// <summary>Gives blocks, of which there must be as many left.</summary>
    public byte[][] Take(int count)
    {
        Used += count;
        var blocks = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            // Pinned ones lie apart from what the collector moves: they are many, large and old.
            blocks[i] = _free.TryPop(out var block) ? block : GC.AllocateUninitializedArray<byte>(Size, pinned: true);
        }

        _fewestFree = Math.Min(_fewestFree, _free.Count);
        return blocks;
    }

    /// <summary>Takes blocks back.</summary>
    public void Return(byte[][] blocks)
    {
        Used -= blocks.Length;
        foreach (var block in blocks)
        {
            _free.Push(block);
        }
    }

    /// <summary>
    /// To be called every second: after some rounds, forgets the blocks that were free in all of them. Says whether it was such a round,
    /// and whether a collection is worth it.
    /// </summary>
    public (bool Round, bool Trimmed) Trim()
    {
        if (++_rounds < RoundsUntilTrimmed)
        {
            return (false, false);
        }

        var trimmed = _fewestFree;
        for (var i = 0; i < trimmed; i++)
        {
            _free.Pop();
        }

        _free.TrimExcess();
        _rounds = 0;
        _fewestFree = _free.Count;
        return (true, (long)trimmed * Size >= WorthCollecting);
    }
}
