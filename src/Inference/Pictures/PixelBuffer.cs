using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Detection.Inference.Pictures;

/// <summary>
/// Memory for the pixels of a picture. Buffers of ordinary pictures are pooled. Buffers of large pictures are allocated from the system and freed at
/// once, because a pool would keep them for an unknown time.
/// </summary>
internal abstract class PixelBuffer : IDisposable
{
    private const int MaxPooledBytes = 32 << 20;

    /// <summary>The bytes, in the requested length.</summary>
    public abstract Span<byte> Bytes { get; }

    /// <summary>A buffer with undefined content.</summary>
    public static PixelBuffer Rent(int length) => length <= MaxPooledBytes ? new Pooled(length) : new Native(length);

    /// <summary>Memory that such a buffer uses, in bytes.</summary>
    public static long SizeOf(long length) => length <= MaxPooledBytes ? (long)BitOperations.RoundUpToPowerOf2((ulong)length) : length;

    /// <inheritdoc/>
    public abstract void Dispose();

    private sealed class Pooled(int length) : PixelBuffer
    {
        private byte[]? _array = ArrayPool<byte>.Shared.Rent(length);

        public override Span<byte> Bytes => _array.AsSpan(0, length);

        public override void Dispose()
        {
            if (_array is { } array)
            {
                _array = null;
                ArrayPool<byte>.Shared.Return(array);
            }
        }
    }

    private sealed unsafe class Native : PixelBuffer
    {
        private readonly int _length;
        private void* _memory;

        public Native(int length)
        {
            _length = length;
            _memory = NativeMemory.Alloc((nuint)length);
        }

        ~Native() => NativeMemory.Free(_memory);

        public override Span<byte> Bytes => new(_memory, _memory is null ? 0 : _length);

        public override void Dispose()
        {
            GC.SuppressFinalize(this);
            NativeMemory.Free(_memory);
            _memory = null;
        }
    }
}
