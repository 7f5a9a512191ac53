namespace Detection.Embedded;

/// <summary>
/// Equal blocks of memory in which pictures are stored, with a maximum number. Returned blocks are reused; blocks that were not needed for a while
/// are returned to the system. Not safe for concurrent use.
/// </summary>
/// <param name="most">Maximum number of blocks in use.</param>
internal sealed class PictureBlocks(int most)
{
    /// <summary>Bytes of a block.</summary>
    public const int Size = 32 * 1024;

    /// <summary>Number of calls of <see cref="Trim"/> during which a block must have been unused.</summary>
    private const int RoundsUntilTrimmed = 15;

    /// <summary>From this number of bytes on, a garbage collection is worth its cost.</summary>
    private const int WorthCollecting = 16 * 1024 * 1024;

    private readonly Stack<byte[]> _free = new();
    private int _fewestFree;
    private int _rounds;

    /// <summary>Blocks that are reserved.</summary>
    public int Used { get; private set; }

    /// <summary>Blocks that can be reserved.</summary>
    public int Left => most - Used;

    /// <summary>Number of blocks for so many bytes.</summary>
    public static int For(int bytes) => Math.Max(1, (int)(((long)bytes + Size - 1) / Size));

    /// <summary>Takes blocks, of which enough must be left.</summary>
    public byte[][] Take(int count)
    {
        Used += count;
        var blocks = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            // Pinned arrays are allocated apart from objects that the collector moves: they are many, large and old.
            blocks[i] = _free.TryPop(out var block) ? block : GC.AllocateUninitializedArray<byte>(Size, pinned: true);
        }

        _fewestFree = Math.Min(_fewestFree, _free.Count);
        return blocks;
    }

    /// <summary>Returns blocks.</summary>
    public void Return(byte[][] blocks)
    {
        Used -= blocks.Length;
        foreach (var block in blocks)
        {
            _free.Push(block);
        }
    }

    /// <summary>
    /// Call it every second. After some calls it drops the blocks that were free during all of them. Returns whether blocks were checked in this
    /// call, and whether a garbage collection is worth its cost.
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
