using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Devices;

/// <summary>
/// One session with its input and output tensors bound once, for run after run without allocating. Outputs whose shape
/// depends on the picture are allocated by the runtime and copied here. For one run at a time.
/// </summary>
internal sealed class BoundRun : IDisposable
{
    /// <summary>TensorRT may build an engine in the first run.</summary>
    private static readonly TimeSpan LongestOfDevice = TimeSpan.FromMinutes(15);

    private readonly InferenceSession _session;
    private readonly ModelGraph _graph;
    private readonly int _batch;
    private readonly TensorMemory _inputMemory;
    private readonly bool _copiesInput;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly RunBounds _bounds;
    private readonly RunLimit _limit;
    private readonly OrtValue _input;
    private readonly int _rowBytes;
    private readonly OrtValue? _second;
    private readonly Output[] _outputs;
    private readonly OutputTensor[][] _rows;
    private readonly bool _hasOpenShapes;

    /// <param name="session">Session of the graph for this batch size.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="batch">Pictures in a run.</param>
    /// <param name="input">Memory of the input, at least as long as the batch; the caller frees it.</param>
    /// <param name="outputs">
    /// Memory of each output in the graph's order, used where the shape is known beforehand; the caller frees it.
    /// </param>
    /// <param name="copiesInput">
    /// Whether the session's provider has memory of its own: it then copies the input when that is bound, not when it runs.
    /// </param>
    /// <param name="bounds">How long runs may last.</param>
    public BoundRun(
        InferenceSession session,
        ModelGraph graph,
        int batch,
        TensorMemory input,
        IReadOnlyList<TensorMemory?> outputs,
        bool copiesInput,
        RunBounds bounds)
    {
        _session = session;
        _graph = graph;
        _batch = batch;
        _inputMemory = input;
        _copiesInput = copiesInput;
        _bounds = bounds;
        _rowBytes = Input.ByteLength;
        _binding = session.CreateIoBinding();
        _input = input.CreateTensor(graph.InputType, graph.InputShape(batch));
        _binding.BindInput(graph.InputName, _input);
        _second = graph.CreateSecond(batch);
        if (_second is not null)
        {
            _binding.BindInput(graph.Second!.Name, _second);
        }

        _outputs = new Output[graph.Outputs.Count];
        _rows = new OutputTensor[batch][];
        for (int row = 0; row < batch; row++)
        {
            _rows[row] = new OutputTensor[_outputs.Length];
        }

        for (int i = 0; i < _outputs.Length; i++)
        {
            var output = _outputs[i] = new Output(graph.Outputs[i]);
            if (outputs[i] is { } memory && KnownShape(session, output.Info.Name) is { } shape)
            {
                output.Value = memory.CreateHostTensor(output.Info.Type, shape);
                output.Memory = memory;
                _binding.BindOutput(output.Info.Name, output.Value);
                if (output.Info.Type == TensorElementType.Float)
                {
                    Slice(i, shape, memory.Memory[..(int)TensorElements.Count(shape)]);
                }
                else
                {
                    output.Singles = new float[TensorElements.Count(shape)];
                    Slice(i, shape, output.Singles);
                }
            }
            else
            {
                _hasOpenShapes = true;
                _binding.BindOutputToDevice(output.Info.Name, OrtMemoryInfo.DefaultInstance);
            }
        }

        _limit = new RunLimit(_options, bounds);
    }

    /// <summary>Memory that an output needs, in bytes; <see langword="null"/> when its shape is not known beforehand.</summary>
    public static long? BytesOf(InferenceSession session, GraphOutput output) => KnownShape(session, output.Name) is { } shape
        ? TensorElements.Count(shape) * TensorElements.SizeOf(output.Type)
        : null;

    /// <summary>What <see cref="InputRow"/> holds.</summary>
    public InputSpec Input => _graph.Input;

    /// <summary>Where a picture goes in the input's memory.</summary>
    public Span<byte> InputRow(int row) => _inputMemory.Bytes.Slice(row * _rowBytes, _rowBytes);

    /// <summary>Outputs of a picture of the last run; valid until the next.</summary>
    public IReadOnlyList<OutputTensor> OutputRow(int row) => _rows[row];

    /// <summary>Runs the model over the whole input tensor.</summary>
    /// <param name="longest">Longest that the run may last; <see langword="null"/> for that of the bounds.</param>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    /// <exception cref="RunTimeoutException">It lasted too long and was ended.</exception>
    public void Run(TimeSpan? longest = null)
    {
        var most = longest ?? _bounds.Longest;
        _limit.Begin(most);
        try
        {
            RunToEnd();
        }
        catch (OnnxRuntimeException) when (_limit.HasEnded)
        {
            // The runtime has no error of its own for it (onnxruntime #20999).
            throw new RunTimeoutException(most);
        }
        finally
        {
            _limit.End();
        }
    }

    /// <summary>The first run, before the session serves: it plans, and is ended when the graph does not end.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    /// <exception cref="RunTimeoutException">It lasted too long and was ended.</exception>
    public void WarmUp()
    {
        Run(_copiesInput ? LongestOfDevice : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _binding.Dispose();
        _input.Dispose();
        _second?.Dispose();
        foreach (var output in _outputs)
        {
            output.Value?.Dispose();
        }

        _limit.Dispose();
        _options.Dispose();
    }

    private void RunToEnd()
    {
        if (_copiesInput)
        {
            _binding.BindInput(_graph.InputName, _input);
            _binding.SynchronizeBoundInputs();
        }

        BindOpenOutputs();
        _session.RunWithBinding(_options, _binding);
        if (_copiesInput)
        {
            _binding.SynchronizeBoundOutputs();
        }

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

    private static long[]? KnownShape(InferenceSession session, string output)
    {
        int[] dimensions = session.OutputMetadata[output].Dimensions;

        // No dimensions: a single number, or a shape of which the graph says nothing at all.
        return dimensions.Length > 0 && Array.TrueForAll(dimensions, d => d >= 0)
            ? Array.ConvertAll(dimensions, d => (long)d)
            : null;
    }

    /// <summary>
    /// Before each run: a binding keeps what a run allocated, and the next run fails when it has other shapes (onnxruntime #8144).
    /// </summary>
    private void BindOpenOutputs()
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

        /// <summary>The values as 32-bit floating point where the bound tensor does not hold them so.</summary>
        public float[]? Singles { get; set; }
    }
}
