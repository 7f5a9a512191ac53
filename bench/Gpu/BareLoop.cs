using System.Diagnostics;
using System.Globalization;
using Detection.Bench.Measuring;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Bench.Gpu;

/// <summary>One session with one batch size that runs the same tensor repeatedly: the maximum of the card.</summary>
internal sealed class BareLoop : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtAllocator _pinned;
    private readonly OrtMemoryInfo _card;
    private readonly OrtValue _input;
    private readonly string _inputName;
    private readonly int _batch;

    public BareLoop(ModelSource model, string device, int batch, PhotoSet photos)
    {
        _batch = batch;
        var input = model.Manifest.Input;
        int? card = device.StartsWith("cuda:", StringComparison.Ordinal) ? int.Parse(device["cuda:".Length..], CultureInfo.InvariantCulture) : null;
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL, IntraOpNumThreads = 1 };
        foreach (var (name, size) in new[] { ("batch", batch), ("batch_size", batch), ("N", batch), ("height", input.Height), ("width", input.Width) })
        {
            options.AddFreeDimensionOverrideByName(name, size);
        }

        if (card is { } index)
        {
            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(new Dictionary<string, string>
            {
                ["device_id"] = $"{index}",
                ["cudnn_conv_algo_search"] = "HEURISTIC",
                ["do_copy_in_default_stream"] = "1",
            });
            options.AppendExecutionProvider_CUDA(cuda);
        }

        _session = new InferenceSession(model.Path, options);
        _inputName = input.Name ?? _session.InputNames[0];
        _card = card is null ? new OrtMemoryInfo("Cpu", OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default)
            : new OrtMemoryInfo("Cuda", OrtAllocatorType.ArenaAllocator, card.Value, OrtMemType.Default);
        using var pinned = card is null ? new OrtMemoryInfo("Cpu", OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default)
            : new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA_PINNED, OrtAllocatorType.DeviceAllocator, card.Value, OrtMemType.CpuOutput);
        _pinned = new OrtAllocator(_session, pinned);
        _input = OrtValue.CreateAllocatedTensorValue(_pinned, TensorElementType.Float, input.Layout == TensorLayout.Nchw
            ? [batch, 3, input.Height, input.Width]
            : [batch, input.Height, input.Width, 3]);
        var row = input.Width * input.Height * 3 * sizeof(float);
        for (var i = 0; i < batch; i++)
        {
            Fill(input, photos.Photos[i % photos.Photos.Count], _input.GetTensorMutableRawData().Slice(i * row, row));
        }
    }

    /// <summary>Decodes a photo into a row of an input tensor.</summary>
    public static void Fill(InputSpec input, byte[] photo, Span<byte> row)
    {
        using var picture = PictureDecoder.Decode(photo, new PictureLimits(), input.Width, input.Height);
        Preprocessor.Write(picture, input, row);
    }

    /// <summary>Pictures per second.</summary>
    /// <param name="copies">Whether each run copies the input to the card and the outputs back.</param>
    /// <param name="seconds">Time to measure.</param>
    public double Measure(bool copies, double seconds)
    {
        using var binding = _session.CreateIoBinding();
        var outputs = new List<OrtValue>();
        binding.BindInput(_inputName, _input);
        foreach (var name in _session.OutputNames)
        {
            if (!copies)
            {
                binding.BindOutputToDevice(name, _card);
                continue;
            }

            var data = _session.OutputMetadata[name];
            long[] shape = Array.ConvertAll(data.Dimensions, size => (long)size);
            var memory = OrtValue.CreateAllocatedTensorValue(_pinned, data.ElementDataType, shape);

            // Page-locked, but declared as ordinary memory: see TensorMemory.CreateHostTensor.
            outputs.Add(AsHostMemory(memory, data.ElementDataType, shape));
            outputs.Add(memory);
            binding.BindOutput(name, outputs[^2]);
        }

        for (var i = 0; i < 20; i++)
        {
            Once();
        }

        var runs = 0;
        var start = Stopwatch.GetTimestamp();
        for (; Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; runs++)
        {
            Once();
        }

        var rate = runs * _batch / Stopwatch.GetElapsedTime(start).TotalSeconds;
        outputs.ForEach(output => output.Dispose());
        return rate;

        void Once()
        {
            if (copies)
            {
                binding.BindInput(_inputName, _input);
                binding.SynchronizeBoundInputs();
            }

            _session.RunWithBinding(_run, binding);
            if (copies)
            {
                binding.SynchronizeBoundOutputs();
            }
        }
    }

    private static unsafe OrtValue AsHostMemory(OrtValue memory, TensorElementType type, long[] shape)
    {
        var bytes = memory.GetTensorMutableRawData();
        fixed (byte* start = bytes)
        {
            return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, type, shape, (nint)start, bytes.Length);
        }
    }

    public void Dispose()
    {
        _input.Dispose();
        _pinned.Dispose();
        _card.Dispose();
        _run.Dispose();
        _session.Dispose();
    }
}
