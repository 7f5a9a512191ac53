using Detection.Inference.Graphs;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices;

/// <summary>Input and output memory for the largest batch of a model, allocated once. Smaller batches use the start of it.</summary>
internal sealed class TensorSet : IDisposable
{
    private readonly ModelGraph _graph;
    private readonly TensorMemory _input;
    private readonly TensorMemory?[] _outputs;

    public TensorSet(OrtAllocator allocator, ModelGraph graph, InferenceSession session, int batch)
    {
        _graph = graph;
        RowBytes = graph.Input.ByteLength;
        _input = new TensorMemory(allocator, (long)RowBytes * batch);
        _outputs = [.. graph.Outputs.Select(o => BoundOutputs.BytesOf(session, o) is { } bytes ? new TensorMemory(allocator, bytes) : null)];
    }

    /// <summary>Bytes of a picture in the input's memory.</summary>
    public int RowBytes { get; }

    /// <summary>The input's memory.</summary>
    public Span<byte> Input => _input.Bytes;

    /// <summary>Binds a session to this memory. Dispose the run before this memory.</summary>
    public BoundRun Bind(InferenceSession session, int batch, bool copiesInput, RunBounds bounds) =>
        new(session, _graph, batch, _input, _outputs, copiesInput, bounds);

    /// <summary>The row of a picture in the input's memory.</summary>
    public Span<byte> InputRow(int row) => _input.Bytes.Slice(row * RowBytes, RowBytes);

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _input.Free();
        foreach (var output in _outputs)
        {
            output?.Free();
        }
    }
}
