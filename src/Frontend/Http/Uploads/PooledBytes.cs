using System.Buffers;
using Detection.Contracts.Answers;
using Detection.Contracts.Pictures;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Bytes in a buffer of the shared pool. The buffer grows as needed.</summary>
internal sealed class PooledBytes(UploadShare share) : IBufferWriter<byte>, IDisposable
{
    private const int FirstSize = 64 * 1024;

    /// <summary>
    /// Maximum number of bytes to rent for an announced length before any byte has arrived. An ordinary picture fits, so that it is read
    /// without a copy.
    /// </summary>
    private const int MaxFirstSize = 256 * 1024;

    /// <summary>A buffer grows to this multiple of what has arrived, at most to the announced length.</summary>
    private const int GrowthFactor = 4;

    private byte[] _buffer = [];
    private int _start;
    private int _length;

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(_start, _length);

    /// <summary>The bytes, which may be changed in place.</summary>
    public Span<byte> Span => _buffer.AsSpan(_start, _length);

    /// <summary>Reads <paramref name="source"/> to its end. Memory is rented for the bytes that arrive, not for the announced length.</summary>
    /// <param name="source">The source.</param>
    /// <param name="expected">The announced number of bytes, if there is one.</param>
    /// <param name="limit">Maximum number of bytes.</param>
    /// <param name="share">Counts the memory.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ProblemException">There are more bytes than <paramref name="limit"/>, or the upload memory is used.</exception>
    public static async ValueTask<PooledBytes> ReadAsync(
        Stream source, long? expected, int limit, UploadShare share, CancellationToken cancellationToken)
    {
        if (expected > limit)
        {
            throw ProblemException.TooLarge(limit);
        }

        var bytes = new PooledBytes(share);
        try
        {
            // One byte more than announced, so that the read that finds the end needs no larger buffer.
            bytes.Grow((int)Math.Min(expected is { } announced ? Math.Min(announced + 1, MaxFirstSize) : FirstSize, limit + 1L));
            while (true)
            {
                var read = await source.ReadAsync(bytes._buffer.AsMemory(bytes._length), cancellationToken);
                if (read == 0)
                {
                    return bytes;
                }

                bytes._length += read;
                if (bytes._length > limit)
                {
                    throw ProblemException.TooLarge(limit);
                }

                if (bytes._length == bytes._buffer.Length)
                {
                    bytes.Grow((int)Math.Min(expected >= bytes._length ? Math.Min((long)GrowthFactor * bytes._length, expected.Value + 1) : 2L * bytes._length, limit + 1L));
                }
            }
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _length);
        _length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var needed = _length + Math.Max(sizeHint, 1);
        if (needed > _buffer.Length)
        {
            Grow(Math.Max(Math.Max(needed, FirstSize), (int)Math.Min(2L * _length, Array.MaxLength)));
        }

        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Keeps only a part; <paramref name="start"/> counts from the current start.</summary>
    public void Slice(int start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + length, _length);
        _start += start;
        _length = length;
    }

    /// <summary>
    /// Passes the bytes to <paramref name="use"/>, which writes them to Redis. When it fails, the buffer goes to the garbage collector and
    /// not back to the pool: a write that was cancelled may still read it.
    /// </summary>
    public async Task<T> UseAsync<T>(Func<ReadOnlyMemory<byte>, Task<T>> use)
    {
        try
        {
            return await use(Memory);
        }
        catch
        {
            Detach();
            throw;
        }
    }

    public void Dispose() => PictureBuffers.Return(Detach());

    /// <exception cref="ProblemException">The process has no memory left.</exception>
    private static byte[] Rent(int size)
    {
        try
        {
            return PictureBuffers.Rent(size);
        }
        catch (OutOfMemoryException e)
        {
            throw new ProblemException(ProblemType.TooManyUploads, "The process has no memory left for another upload.", e);
        }
    }

    /// <summary>Empties this object and returns its buffer.</summary>
    private byte[] Detach()
    {
        var buffer = _buffer;
        share.Give(buffer.Length);
        _buffer = [];
        _start = _length = 0;
        return buffer;
    }

    private void Grow(int size)
    {
        var larger = Rent(size);
        try
        {
            share.Take(larger.Length);
        }
        catch
        {
            PictureBuffers.Return(larger);
            throw;
        }

        var smaller = _buffer;
        smaller.AsSpan(0, _length).CopyTo(larger);
        _buffer = larger;
        if (smaller.Length > 0)
        {
            share.Give(smaller.Length);
            PictureBuffers.Return(smaller);
        }
    }
}
