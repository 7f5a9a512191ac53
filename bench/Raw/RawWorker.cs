using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Bench.Raw;

/// <summary>
/// Processes one picture after another, from its bytes to its boxes, in memory that is bound once. The decoder, the preprocessing and the
/// heads are the product's; all other work of a server is missing.
/// </summary>
internal sealed class RawWorker : IDisposable
{
    private static readonly PictureLimits Limits = new();

    private readonly InferenceSession _session;
    private readonly InputSpec _input;
    private readonly IDetectionHead _head;
    private readonly HeadSettings _settings;
    private readonly RunOptions _run = new();
    private readonly OrtIoBinding _binding;
    private readonly OrtValue _inputValue;
    private readonly List<OrtValue> _outputValues = [];
    private readonly OutputTensor[] _outputs;
    private readonly List<DetectedObject> _boxes = [];

    /// <param name="session">Shared by all workers.</param>
    /// <param name="manifest">The model's input and head.</param>
    /// <exception cref="NotSupportedException">The model's tensors are not of 32-bit floating point.</exception>
    public RawWorker(InferenceSession session, ModelManifest manifest)
    {
        (_session, _input) = (session, manifest.Input);
        if (_input.Element != TensorElement.Float32)
        {
            throw new NotSupportedException("Only models with 32-bit input are measured here.");
        }

        _head = DetectionHeads.Create(manifest);
        _settings = new HeadSettings(manifest.ScoreFloor, manifest.Iou, manifest.MaxBoxes);
        _inputValue = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, _input.Layout == TensorLayout.Nchw
            ? [1, 3, _input.Height, _input.Width]
            : [1, _input.Height, _input.Width, 3]);
        _binding = session.CreateIoBinding();
        _binding.BindInput(_input.Name ?? session.InputNames[0], _inputValue);
        _outputs = [.. session.OutputNames.Select(BindOutput)];
    }

    /// <summary>Options of the session that the workers share: the cores belong to them, one each.</summary>
    public static SessionOptions CreateOptions(InputSpec input)
    {
        var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
        };
        foreach (var (name, size) in new[] { ("batch", 1), ("batch_size", 1), ("N", 1), ("height", input.Height), ("width", input.Width) })
        {
            options.AddFreeDimensionOverrideByName(name, size);
        }

        return options;
    }

    /// <summary>Processes one picture.</summary>
    /// <returns>Number of boxes.</returns>
    public int Detect(byte[] photo)
    {
        InputGeometry geometry;
        using (var picture = PictureDecoder.Decode(photo, Limits, _input.Width, _input.Height))
        {
            geometry = Preprocessor.Write(picture, _input, _inputValue.GetTensorMutableRawData());
        }

        _session.RunWithBinding(_run, _binding);
        _boxes.Clear();
        _head.Read(_outputs, geometry, _settings, _boxes);
        return _boxes.Count;
    }

    public void Dispose()
    {
        _binding.Dispose();
        _inputValue.Dispose();
        foreach (var value in _outputValues)
        {
            value.Dispose();
        }

        _run.Dispose();
    }

    private OutputTensor BindOutput(string name)
    {
        var data = _session.OutputMetadata[name];
        if (data.ElementDataType != TensorElementType.Float || data.Dimensions.Any(dimension => dimension < 1))
        {
            throw new NotSupportedException($"Output {name} is not of 32-bit floating point and known shape.");
        }

        var values = new float[data.Dimensions.Aggregate(1, (product, dimension) => product * dimension)];
        var value = OrtValue.CreateTensorValueFromMemory(values, Array.ConvertAll(data.Dimensions, dimension => (long)dimension));
        _outputValues.Add(value);
        _binding.BindOutput(name, value);
        return new OutputTensor(name, data.Dimensions[1..], values);
    }
}
