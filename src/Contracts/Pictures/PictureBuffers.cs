using System.Buffers;
using StackExchange.Redis;

namespace Detection.Contracts.Pictures;

/// <summary>
/// Buffers for encoded pictures. Those of ordinary pictures are pooled; larger ones are left to the garbage collector, because the pool keeps buffers
/// for each thread, which for a few pictures of the maximum size would be gigabytes.
/// </summary>
public static class PictureBuffers
{
    /// <summary>Size of the largest pooled buffer, in bytes.</summary>
    public const int LargestPooled = 1024 * 1024;

    /// <summary>Default maximum size of a picture, in bytes.</summary>
    public const int DefaultMaxBytes = SharedDefaults.MaxPictureBytes;

    /// <summary>A buffer of at least <paramref name="size"/> bytes, with undefined content.</summary>
    /// <exception cref="OutOfMemoryException">The process has reached its memory limit.</exception>
    public static byte[] Rent(int size) =>
        size > LargestPooled ? GC.AllocateUninitializedArray<byte>(size) : ArrayPool<byte>.Shared.Rent(size);

    /// <summary>
    /// Returns a larger buffer that starts with the content of <paramref name="buffer"/>, and returns <paramref name="buffer"/> to the pool.
    /// </summary>
    /// <param name="buffer">A buffer of <see cref="Rent"/>.</param>
    /// <param name="length">Bytes of it that are in use.</param>
    /// <param name="size">Minimum size of the larger one.</param>
    public static byte[] Grow(byte[] buffer, int length, int size)
    {
        var larger = Rent(size);
        buffer.AsSpan(0, length).CopyTo(larger);
        Return(buffer);
        return larger;
    }

    /// <summary>Returns a buffer of <see cref="Rent"/> to the pool. An empty array is ignored.</summary>
    public static void Return(byte[] buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        if (buffer.Length is > 0 and <= LargestPooled)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Returns the memory of a picture that was read from Redis.</summary>
    public static void Return(Lease<byte>? picture)
    {
        if (picture is { Length: <= LargestPooled })
        {
            picture.Dispose();
        }
    }
}
