namespace Detection.Embedded;

/// <summary>The bytes of a picture, in blocks. They are returned when the last user has finished.</summary>
internal sealed class PictureBytes(byte[][] blocks, int length)
{
    private int _users = 1;

    public int Length => length;

    public byte[][] Blocks => blocks;

    /// <summary>The part of a block that belongs to the picture.</summary>
    public Memory<byte> Part(int block) => blocks[block].AsMemory(0, Math.Min(PictureBlocks.Size, length - (block * PictureBlocks.Size)));

    /// <summary>Adds a user.</summary>
    public void Use() => Interlocked.Increment(ref _users);

    /// <summary>Removes a user. Returns whether it was the last one.</summary>
    public bool Leave() => Interlocked.Decrement(ref _users) == 0;
}
