using System.Buffers;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Devices;

/// <summary>
/// Memory of a tensor, allocated once and reused by all runs. It is outside the managed heap, so it never moves, and a GPU's provider allocates
/// page-locked memory through the same kind of allocator.
/// </summary>
internal sealed unsafe class TensorMemory : MemoryManager<float>
{
    private readonly OrtMemoryAllocation _allocation;
    private readonly byte* _start;
    private readonly int _bytes;

    /// <summary>Allocates zeroed memory.</summary>
    /// <exception cref="ModelException">More than 2 GiB.</exception>
    public TensorMemory(OrtAllocator allocator, long bytes)
    {
        if (bytes > int.MaxValue)
        {
            throw new ModelException($"A tensor of the model takes {bytes / (1024 * 1024)} MiB; use a smaller batch or input size.");
        }

        _bytes = (int)bytes;
        _allocation = allocator.Allocate((uint)Math.Max(_bytes, 1));
        _start = (byte*)_allocation.DangerousGetHandle();
        Bytes.Clear();
    }

    /// <summary>The whole memory.</summary>
    public Span<byte> Bytes => new(_start, _bytes);

    /// <summary>A tensor over the start of this memory. Dispose it before this memory.</summary>
    public OrtValue CreateTensor(TensorElementType type, long[] shape) => CreateTensor(_allocation.Info, type, shape);

    /// <summary>A tensor over the start of this memory that is declared as ordinary CPU memory. Dispose it before this memory.</summary>
    /// <remarks>
    /// When an output is declared as page-locked memory, ONNX Runtime 1.31 assumes that it has already written it, and fails the run with <c>dst_data
    /// != src_data was false</c> (onnxruntime #29713). Without this declaration the copy from the card is equally fast: the driver recognises its
    /// page-locked memory by the address.
    /// </remarks>
    public OrtValue CreateHostTensor(TensorElementType type, long[] shape) => CreateTensor(OrtMemoryInfo.DefaultInstance, type, shape);

    /// <inheritdoc/>
    public override Span<float> GetSpan() => new(_start, _bytes / sizeof(float));

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new((float*)_start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <summary>Frees the memory.</summary>
    public void Free() => _allocation.Dispose();

    private OrtValue CreateTensor(OrtMemoryInfo memory, TensorElementType type, long[] shape) => OrtValue.CreateTensorValueWithData(
        memory,
        type,
        shape,
        (nint)_start,
        TensorElements.Count(shape) * TensorElements.SizeOf(type));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Free();
        }
    }
}
