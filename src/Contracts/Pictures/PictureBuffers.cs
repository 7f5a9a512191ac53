using System.Buffers;
using StackExchange.Redis;

namespace Detection.Contracts.Pictures;

/// <summary>
/// Buffers for encoded pictures: those of ordinary pictures are pooled, larger ones are left to the garbage collector. The pool keeps what
/// each thread has returned, which is gigabytes for a few pictures of the largest size.
/// </summary>
public static class PictureBuffers
{
    /// <summary>Most bytes of a buffer that is pooled.</summary>
    public const int LargestPooled = 1024 * 1024;

    /// <summary>Most bytes of a picture where no setting says otherwise.</summary>
    public const int DefaultMaxBytes = SharedDefaults.MaxPictureBytes;

    /// <summary>A buffer of at least <paramref name="size"/> bytes, which are not set.</summary>
    /// <exception cref="OutOfMemoryException">The process may not use so much.</exception>
    public static byte[] Rent(int size) =>
        size > LargestPooled ? GC.AllocateUninitializedArray<byte>(size) : ArrayPool<byte>.Shared.Rent(size);

    /// <summary>Gives a larger buffer that begins as <paramref name="buffer"/>, whose use ends.</summary>
    /// <param name="buffer">A buffer that <see cref="Rent"/> gave.</param>
    /// <param name="length">Bytes of it that are in use.</param>
    /// <param name="size">Least size of the larger one.</param>
    public static byte[] Grow(byte[] buffer, int length, int size)
    {
        var larger = Rent(size);
        buffer.AsSpan(0, length).CopyTo(larger);
        Return(buffer);
        return larger;
    }

    /// <summary>Ends the use of a buffer that <see cref="Rent"/> gave. An empty array is no buffer and may be given, too.</summary>
    public static void Return(byte[] buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        if (buffer.Length is > 0 and <= LargestPooled)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Ends the use of a picture that was read from Redis.</summary>
    public static void Return(Lease<byte>? picture)
    {
        if (picture is { Length: <= LargestPooled })
        {
            picture.Dispose();
        }
    }
}
