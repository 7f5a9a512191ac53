using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Devices;

/// <summary>
/// The outputs of a <see cref="BoundRun"/>, a row for each picture. Outputs whose shape depends on the picture are allocated by the runtime and
/// copied to this object.
/// </summary>
internal sealed class BoundOutputs : IDisposable
{
    private readonly int _batch;
    private readonly OrtIoBinding _binding;
    private readonly Output[] _outputs;
    private readonly OutputTensor[][] _rows;
    private readonly bool _hasOpenShapes;

    /// <param name="session">Session of the graph for this batch size.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="batch">Number of pictures in a run.</param>
    /// <param name="memories">Memory of each output in the graph's order, used when the shape is known in advance; the caller frees it.</param>
    /// <param name="binding">Binds them to the session.</param>
    public BoundOutputs(InferenceSession session, ModelGraph graph, int batch, IReadOnlyList<TensorMemory?> memories, OrtIoBinding binding)
    {
        _batch = batch;
        _binding = binding;
        _outputs = [.. graph.Outputs.Select(output => new Output(output))];
        _rows = [.. Enumerable.Range(0, batch).Select(_ => new OutputTensor[_outputs.Length])];
        for (int i = 0; i < _outputs.Length; i++)
        {
            var output = _outputs[i];
            if (memories[i] is { } memory && KnownShape(session, output.Info) is { } shape)
            {
                Bind(i, memory, shape);
            }
            else
            {
                _hasOpenShapes = true;
                binding.BindOutputToDevice(output.Info.Name, OrtMemoryInfo.DefaultInstance);
            }
        }
    }

    /// <summary>Memory that an output needs, in bytes; <see langword="null"/> when its shape is not known beforehand.</summary>
    public static long? BytesOf(InferenceSession session, GraphOutput output) => KnownShape(session, output) is { } shape
        ? TensorElements.Count(shape) * TensorElements.SizeOf(output.Type)
        : null;

    /// <summary>Outputs of a picture of the last run; valid until the next run.</summary>
    public IReadOnlyList<OutputTensor> Row(int row) => _rows[row];

    /// <summary>
    /// Call it before each run: a binding keeps the outputs that a run allocated, and the next run fails if their shapes differ (onnxruntime #8144).
    /// </summary>
    public void BindOpen()
    {
        if (!_hasOpenShapes)
        {
            return;
        }

        foreach (var output in _outputs)
        {
            if (output.Value is null)
            {
                _binding.BindOutputToDevice(output.Info.Name, OrtMemoryInfo.DefaultInstance);
            }
        }
    }

    /// <summary>Call it after each run: copies the outputs that the runtime allocated, and converts values that are not 32-bit floating point.</summary>
    public void Take()
    {
        if (_hasOpenShapes)
        {
            using var values = _binding.GetOutputValues();
            for (int i = 0; i < _outputs.Length; i++)
            {
                if (_outputs[i].Value is null)
                {
                    Copy(i, values[i]);
                }
            }
        }

        foreach (var output in _outputs)
        {
            if (output is { Memory: { } memory, Singles: { } singles })
            {
                int bytes = singles.Length * TensorElements.SizeOf(output.Info.Type);
                TensorElements.ToSingle(output.Info.Type, memory.Bytes[..bytes], singles);
            }
        }
    }

    /// <summary>Dispose it after the binding.</summary>
    public void Dispose()
    {
        foreach (var output in _outputs)
        {
            output.Value?.Dispose();
        }
    }

    private static long[]? KnownShape(InferenceSession session, GraphOutput output)
    {
        int[] dimensions = session.OutputMetadata[output.Name].Dimensions;

        // No dimensions: a single number, or a shape of which the graph says nothing at all.
        return output.IsAsDeclared && dimensions.Length > 0 && Array.TrueForAll(dimensions, d => d >= 0)
            ? Array.ConvertAll(dimensions, d => (long)d)
            : null;
    }

    private void Bind(int index, TensorMemory memory, long[] shape)
    {
        var output = _outputs[index];
        output.Value = memory.CreateHostTensor(output.Info.Type, shape);
        output.Memory = memory;
        _binding.BindOutput(output.Info.Name, output.Value);
        if (output.Info.Type == TensorElementType.Float)
        {
            Slice(index, shape, memory.Memory[..(int)TensorElements.Count(shape)]);
        }
        else
        {
            output.Singles = new float[TensorElements.Count(shape)];
            Slice(index, shape, output.Singles);
        }
    }

    private void Copy(int index, OrtValue value)
    {
        var output = _outputs[index];
        long[] shape = value.GetTensorTypeAndShape().Shape;
        int count = (int)TensorElements.Count(shape);
        if (output.Singles is null || output.Singles.Length < count)
        {
            output.Singles = new float[count];
        }

        if (count > 0)
        {
            TensorElements.ToSingle(output.Info.Type, value.GetTensorMutableRawData(), output.Singles);
        }

        Slice(index, shape, output.Singles.AsMemory(0, count));
    }

    private void Slice(int index, long[] shape, ReadOnlyMemory<float> values)
    {
        var output = _outputs[index].Info;
        if (!output.HasBatch)
        {
            foreach (var row in _rows)
            {
                row[index] = new OutputTensor(output.Name, Array.ConvertAll(shape, d => (int)d), values);
            }

            return;
        }

        if (shape[0] != _batch)
        {
            throw new InvalidOperationException($"Output {output.Name} holds {shape[0]} pictures after a run of {_batch}.");
        }

        int[] rest = Array.ConvertAll(shape[1..], d => (int)d);
        int length = values.Length / _batch;
        for (int row = 0; row < _batch; row++)
        {
            _rows[row][index] = new OutputTensor(output.Name, rest, values.Slice(row * length, length));
        }
    }

    private sealed class Output(GraphOutput info)
    {
        public GraphOutput Info { get; } = info;

        /// <summary>The bound tensor; <see langword="null"/> while the shape depends on the picture.</summary>
        public OrtValue? Value { get; set; }

        /// <summary>Memory of the bound tensor.</summary>
        public TensorMemory? Memory { get; set; }

        /// <summary>The values as 32-bit floating point, when the bound tensor has another type.</summary>
        public float[]? Singles { get; set; }
    }
}
