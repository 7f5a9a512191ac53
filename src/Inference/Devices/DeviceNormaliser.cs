using Detection.Inference.Graphs;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Devices;

/// <summary>
/// Normalises on the device: grey levels go there, a quarter of the bytes of a 32-bit tensor, and a graph of its own makes of them the
/// tensor that the model takes. They are rounded to whole levels, at most half a level off.
/// </summary>
internal sealed class DeviceNormaliser : IDisposable
{
    private const string Pixels = "pixels";
    private const string Factor = "factor";
    private const string Shift = "shift";
    private const string Tensor = "tensor";

    /// <summary>
    /// tensor = Add(Mul(Cast(pixels), factor), shift), all of four dimensions, pixels of 8 and the others of 32 bits; operator set 13.
    /// </summary>
    private static readonly byte[] SingleGraph = Convert.FromBase64String(
        "CAg6ggIKHwoGcGl4ZWxzEgRncmV5IgRDYXN0KgkKAnRvGAGgAQIKGwoEZ3JleQoGZmFjdG9yEgZzY2FsZWQiA011bAocCgZzY2FsZWQKBXNoaWZ0"
        + "EgZ0ZW5zb3IiA0FkZBIJbm9ybWFsaXNlWiQKBnBpeGVscxIaChgIAhIUCgMSAW4KAxIBYQoDEgFiCgMSAWNaJgoGZmFjdG9yEhwKGggBEhYKBRID"
        + "b25lCgMSAWQKAxIBZQoDEgFmWiUKBXNoaWZ0EhwKGggBEhYKBRIDb25lCgMSAWQKAxIBZQoDEgFmYiQKBnRlbnNvchIaChgIARIUCgMSAW4KAxIB"
        + "YQoDEgFiCgMSAWNCBAoAEA0=");

    /// <summary>The same with a Cast to 16 bits at its end.</summary>
    private static readonly byte[] HalfGraph = Convert.FromBase64String(
        "CAg6pQIKHwoGcGl4ZWxzEgRncmV5IgRDYXN0KgkKAnRvGAGgAQIKGwoEZ3JleQoGZmFjdG9yEgZzY2FsZWQiA011bAocCgZzY2FsZWQKBXNoaWZ0"
        + "EgZub3JtYWwiA0FkZAohCgZub3JtYWwSBnRlbnNvciIEQ2FzdCoJCgJ0bxgKoAECEglub3JtYWxpc2VaJAoGcGl4ZWxzEhoKGAgCEhQKAxIBbgoD"
        + "EgFhCgMSAWIKAxIBY1omCgZmYWN0b3ISHAoaCAESFgoFEgNvbmUKAxIBZAoDEgFlCgMSAWZaJQoFc2hpZnQSHAoaCAESFgoFEgNvbmUKAxIBZAoD"
        + "EgFlCgMSAWZiJAoGdGVuc29yEhoKGAgKEhQKAxIBbgoDEgFhCgMSAWIKAxIBY0IECgAQDQ==");

    private readonly ModelGraph _graph;
    private readonly OrtMemoryInfo _memory;
    private readonly InferenceSession _session;
    private readonly OrtValue _factor;
    private readonly OrtValue _shift;

    /// <param name="graph">The model's graph; see <see cref="Fits"/>.</param>
    /// <param name="provider">What both run with.</param>
    /// <exception cref="OnnxRuntimeException">The provider cannot run it.</exception>
    public DeviceNormaliser(ModelGraph graph, ExecutionProvider provider)
    {
        _graph = graph;
        _memory = provider.Memory;
        var input = graph.Input;
        Input = input with { Element = TensorElement.UInt8, Scale = 1, Mean = [0, 0, 0], Std = [1, 1, 1] };
        long[] shape = input.Layout == TensorLayout.Nchw ? [1, 3, 1, 1] : [1, 1, 1, 3];
        using (var options = provider.CreateSessionOptions())
        {
            _session = new InferenceSession(input.Element == TensorElement.Float16 ? HalfGraph : SingleGraph, options);
        }

        _factor = OrtValue.CreateTensorValueFromMemory([.. input.Std.Select(std => 1 / (input.Scale * std))], shape);
        _shift = OrtValue.CreateTensorValueFromMemory([.. input.Mean.Zip(input.Std, (mean, std) => -mean / std)], shape);
    }

    /// <summary>What the processor writes.</summary>
    public InputSpec Input { get; }

    /// <summary>Whether grey levels say all that the model's input holds.</summary>
    public static bool Fits(InputSpec input) =>
        input.Element != TensorElement.UInt8
        && (input.Resize == ResizeMode.Stretch || (input.Padding is { } grey && grey == MathF.Round(grey)));

    /// <summary>Binds it to memory, once.</summary>
    /// <param name="pixels">The grey levels; the caller frees it.</param>
    /// <param name="batch">Pictures in a run.</param>
    public BoundNormaliser Bind(TensorMemory pixels, int batch) => new(this, pixels.CreateTensor(TensorElementType.UInt8, _graph.InputShape(batch)));

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _factor.Dispose();
        _shift.Dispose();
    }

    /// <summary>For one run at a time.</summary>
    internal sealed class BoundNormaliser : IDisposable
    {
        private readonly DeviceNormaliser _normaliser;
        private readonly OrtValue _pixels;
        private readonly OrtIoBinding _binding;
        private readonly IDisposable _outputs;
        private readonly RunOptions _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

        public BoundNormaliser(DeviceNormaliser normaliser, OrtValue pixels)
        {
            (_normaliser, _pixels) = (normaliser, pixels);
            _binding = normaliser._session.CreateIoBinding();
            _binding.BindInput(Pixels, pixels);
            _binding.BindInput(Factor, normaliser._factor);
            _binding.BindInput(Shift, normaliser._shift);

            // The first run allocates the tensor, on the device; the others write into it.
            _binding.BindOutputToDevice(DeviceNormaliser.Tensor, normaliser._memory);
            normaliser._session.RunWithBinding(_options, _binding);
            var outputs = _binding.GetOutputValues();
            (_outputs, Tensor) = (outputs, outputs[0]);
            _binding.BindOutput(DeviceNormaliser.Tensor, Tensor);
        }

        /// <summary>The model's input, on the device.</summary>
        public OrtValue Tensor { get; }

        /// <summary>Brings the pixels to the device and normalises them.</summary>
        /// <exception cref="OnnxRuntimeException">The run failed.</exception>
        public void Run()
        {
            // Bound again, because that is when they are copied.
            _binding.BindInput(Pixels, _pixels);
            _binding.SynchronizeBoundInputs();
            _normaliser._session.RunWithBinding(_options, _binding);
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _binding.Dispose();
            _outputs.Dispose();
            _pixels.Dispose();
            _options.Dispose();
        }
    }
}
