using BenchmarkDotNet.Attributes;
using Detection.Bench.Measuring;
using Detection.Inference.Annotation;
using Detection.Inference.Heads;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Bench.Micro;

/// <summary>The stages of a picture on one core, each alone, with NanoDet-g.</summary>
public class StageBenchmarks
{
    private static readonly PictureLimits Limits = new();

    private readonly RunOptions _run = new();
    private readonly List<DetectedObject> _boxes = [];
    private byte[] _photo = [];
    private ModelManifest _manifest = null!;
    private Picture _picture = null!;
    private InferenceSession _session = null!;
    private OrtIoBinding _binding = null!;
    private OrtValue _input = null!;
    private OutputTensor[] _outputs = [];
    private OrtValue[] _outputValues = [];
    private InputGeometry _geometry;
    private IDetectionHead _head = null!;
    private DetectedObject[] _found = [];

    [GlobalSetup]
    public void Setup()
    {
        // A picture of medium size, like most of COCO.
        _photo = PhotoSet.Read(null).Photos.OrderBy(photo => photo.Length).ElementAt(PhotoSet.Read(null).Photos.Count / 2);
        var folder = Path.Combine(AppContext.BaseDirectory, "models", "nanodet-g");
        _manifest = ManifestCheck.Load(Path.Combine(folder, "model.json"));
        _picture = PictureDecoder.Decode(_photo, Limits, _manifest.Input.Width, _manifest.Input.Height);
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        options.AddFreeDimensionOverrideByName("batch", 1);
        _session = new InferenceSession(Path.Combine(folder, "model.onnx"), options);
        _binding = _session.CreateIoBinding();
        _input = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, [1, 3, _manifest.Input.Height, _manifest.Input.Width]);
        _binding.BindInput(_session.InputNames[0], _input);
        var outputs = new List<(OutputTensor Tensor, OrtValue Value)>();
        foreach (var name in _session.OutputNames)
        {
            var shape = _session.OutputMetadata[name].Dimensions;
            var values = new float[shape.Aggregate(1, (product, side) => product * side)];
            var value = OrtValue.CreateTensorValueFromMemory(values, Array.ConvertAll(shape, side => (long)side));
            _binding.BindOutput(name, value);
            outputs.Add((new OutputTensor(name, shape[1..], values), value));
        }

        (_outputs, _outputValues) = ([.. outputs.Select(output => output.Tensor)], [.. outputs.Select(output => output.Value)]);
        _head = DetectionHeads.Create(_manifest);
        Preprocess();
        Run();
        Head();
        _found = [.. _boxes.Where(box => box.Score >= _manifest.Threshold)];
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _binding.Dispose();
        _input.Dispose();
        Array.ForEach(_outputValues, value => value.Dispose());
        _session.Dispose();
        _run.Dispose();
        _picture.Dispose();
    }

    [Benchmark]
    public int Decode()
    {
        using var picture = PictureDecoder.Decode(_photo, Limits, _manifest.Input.Width, _manifest.Input.Height);
        return picture.Width;
    }

    [Benchmark]
    public void Preprocess() => _geometry = Preprocessor.Write(_picture, _manifest.Input, _input.GetTensorMutableRawData());

    [Benchmark]
    public void Run() => _session.RunWithBinding(_run, _binding);

    /// <summary>From the outputs to boxes, with suppression.</summary>
    [Benchmark]
    public int Head()
    {
        _boxes.Clear();
        _head.Read(_outputs, _geometry, new HeadSettings(_manifest.ScoreFloor, _manifest.Iou, _manifest.MaxBoxes), _boxes);
        return _boxes.Count;
    }

    /// <summary>Full decoding, drawing and encoding.</summary>
    [Benchmark]
    public int Annotate() => PictureAnnotator.Annotate(_photo, Limits, _found, _manifest.Labels).Length;
}
