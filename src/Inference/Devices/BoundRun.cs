using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices;

/// <summary>
/// One session with its input and output tensors bound once, so that runs do not allocate. Outputs whose shape depends on the picture are allocated
/// by the runtime and copied. For one run at a time.
/// </summary>
internal sealed class BoundRun : IDisposable
{
    /// <summary>TensorRT may build an engine in the first run.</summary>
    private static readonly TimeSpan MaxWarmUp = TimeSpan.FromMinutes(15);

    private readonly InferenceSession _session;
    private readonly ModelGraph _graph;
    private readonly TensorMemory _inputMemory;
    private readonly bool _copiesInput;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly RunBounds _bounds;
    private readonly RunLimit _limit;
    private readonly OrtValue _input;
    private readonly int _rowBytes;
    private readonly OrtValue[] _sides;
    private readonly BoundOutputs _outputs;

    /// <param name="session">Session of the graph for this batch size.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="batch">Number of pictures in a run.</param>
    /// <param name="input">Memory of the input, at least as long as the batch; the caller frees it.</param>
    /// <param name="outputs">Memory of each output in the graph's order, used when the shape is known in advance; the caller frees it.</param>
    /// <param name="copiesInput">
    /// Whether the session's provider has separate memory: it then copies the input when that is bound, not when the model runs.
    /// </param>
    /// <param name="bounds">Time limits of runs.</param>
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
        _inputMemory = input;
        _copiesInput = copiesInput;
        _bounds = bounds;
        _rowBytes = Input.ByteLength;
        _binding = session.CreateIoBinding();
        _input = input.CreateTensor(graph.InputType, graph.InputShape(batch));
        _binding.BindInput(graph.InputName, _input);
        _sides = [.. graph.Sides.Select(side => side.Create(batch, Input.Width, Input.Height))];
        foreach (var (side, value) in graph.Sides.Zip(_sides))
        {
            _binding.BindInput(side.Name, value);
        }

        _outputs = new BoundOutputs(session, graph, batch, outputs, _binding);
        _limit = new RunLimit(_options, bounds);
    }

    /// <summary>The content of <see cref="InputRow"/>.</summary>
    public InputSpec Input => _graph.Input;

    /// <summary>The row of a picture in the input's memory.</summary>
    public Span<byte> InputRow(int row) => _inputMemory.Bytes.Slice(row * _rowBytes, _rowBytes);

    /// <summary>Outputs of a picture of the last run; valid until the next run.</summary>
    public IReadOnlyList<OutputTensor> OutputRow(int row) => _outputs.Row(row);

    /// <summary>Runs the model over the whole input tensor.</summary>
    /// <param name="longest">Time limit of the run; <see langword="null"/> for that of the bounds.</param>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    /// <exception cref="RunTimeoutException">It timed out and was ended.</exception>
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
            // The runtime has no specific error for it (onnxruntime #20999).
            throw new RunTimeoutException(most);
        }
        finally
        {
            _limit.End();
        }
    }

    /// <summary>The first run, before the session serves. The runtime plans in this run. It is ended when the graph does not end.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    /// <exception cref="RunTimeoutException">It timed out and was ended.</exception>
    public void WarmUp()
    {
        Run(_copiesInput ? MaxWarmUp : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _binding.Dispose();
        _input.Dispose();
        Array.ForEach(_sides, side => side.Dispose());
        _outputs.Dispose();
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

        _outputs.BindOpen();
        _session.RunWithBinding(_options, _binding);
        if (_copiesInput)
        {
            _binding.SynchronizeBoundOutputs();
        }

        _outputs.Take();
    }
}
