using System.Buffers;
using Detection.Contracts.Answers;
using Detection.Contracts.Pictures;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Bytes in a buffer of the shared pool, of whatever length turns out to be needed.</summary>
internal sealed class PooledBytes(UploadShare share) : IBufferWriter<byte>, IDisposable
{
    private const int FirstSize = 64 * 1024;

    /// <summary>Most of an announced length that is rented before its bytes have come: the size of an ordinary picture, which is then read without a copy.</summary>
    private const int BelievedSize = 256 * 1024;

    /// <summary>How much more than has come is taken of an announced length.</summary>
    private const int Lead = 4;

    private byte[] _buffer = [];
    private int _start;
    private int _length;

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(_start, _length);

    /// <summary>The bytes, to be worked on in place.</summary>
    public Span<byte> Span => _buffer.AsSpan(_start, _length);

    /// <summary>Reads <paramref name="source"/> to its end. Memory is taken as the bytes come, not as they are announced.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="expected">Number of bytes, when the sender said.</param>
    /// <param name="limit">Most bytes.</param>
    /// <param name="share">Where the memory is counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">More bytes than <paramref name="limit"/>, or no memory for them.</exception>
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
            // One byte more than announced, so that the end is seen without growing.
            bytes.Grow((int)Math.Min(expected is { } announced ? Math.Min(announced + 1, BelievedSize) : FirstSize, limit + 1L));
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
                    bytes.Grow((int)Math.Min(expected >= bytes._length ? Math.Min((long)Lead * bytes._length, expected.Value + 1) : 2L * bytes._length, limit + 1L));
                }
            }
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _length);
        _length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var needed = _length + Math.Max(sizeHint, 1);
        if (needed > _buffer.Length)
        {
            Grow(Math.Max(Math.Max(needed, FirstSize), (int)Math.Min(2L * _length, Array.MaxLength)));
        }

        return _buffer.AsMemory(_length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Keeps only a part, counted from the present start.</summary>
    public void Slice(int start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + length, _length);
        _start += start;
        _length = length;
    }

    /// <summary>
    /// Lends the bytes to what writes them to Redis. When that fails the buffer is left to the garbage collector: a write that was given up
    /// may still read it, so it must not be handed out again.
    /// </summary>
    public async Task<T> UseAsync<T>(Func<ReadOnlyMemory<byte>, Task<T>> use)
    {
        try
        {
            return await use(Memory);
        }
        catch
        {
            Leave();
            throw;
        }
    }

    public void Dispose() => PictureBuffers.Return(Leave());

    /// <exception cref="ProblemException">The process may not use so much.</exception>
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

    /// <summary>Ends the use of the buffer, and gives it out.</summary>
    private byte[] Leave()
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
