using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices;

/// <summary>
/// One session with its input and output tensors bound once, for run after run without allocating. Outputs whose shape
/// depends on the picture are allocated by the runtime and copied here. For one run at a time.
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
    private readonly OrtValue? _second;
    private readonly BoundOutputs _outputs;

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

        _outputs = new BoundOutputs(session, graph, batch, outputs, _binding);
        _limit = new RunLimit(_options, bounds);
    }

    /// <summary>What <see cref="InputRow"/> holds.</summary>
    public InputSpec Input => _graph.Input;

    /// <summary>Where a picture goes in the input's memory.</summary>
    public Span<byte> InputRow(int row) => _inputMemory.Bytes.Slice(row * _rowBytes, _rowBytes);

    /// <summary>Outputs of a picture of the last run; valid until the next.</summary>
    public IReadOnlyList<OutputTensor> OutputRow(int row) => _outputs.Row(row);

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
        Run(_copiesInput ? MaxWarmUp : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _binding.Dispose();
        _input.Dispose();
        _second?.Dispose();
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
