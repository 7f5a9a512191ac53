using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Graphs;

/// <summary>The result of a run for one output.</summary>
/// <param name="Shape">Its shape, with the batch dimension.</param>
/// <param name="Values">Its values as 32-bit floating point.</param>
internal readonly record struct TrialOutput(int[] Shape, float[] Values);

/// <summary>Runs a graph with generated pictures, to find what its declared shapes leave open.</summary>
/// <param name="session">Session of the unchanged graph in the file.</param>
/// <param name="input">The picture input.</param>
/// <param name="sides">The inputs beside the picture.</param>
/// <param name="bounds">How long a run may last.</param>
internal sealed class GraphTrial(InferenceSession session, PictureInput input, IReadOnlyList<SideInput> sides, RunBounds bounds)
{
    /// <summary>Maximum number of values of an output: 1 GiB as 32-bit floating point. Detectors need less than 200 MiB.</summary>
    public const int MaxValues = 256 * 1024 * 1024;

    /// <summary>Time limit of a run on the CPU for a graph that may be meant for another device: far more than a detector needs for a picture.</summary>
    public static readonly TimeSpan MaxRun = TimeSpan.FromMinutes(2);

    private readonly Dictionary<(int Batch, TrialPicture Picture), IReadOnlyDictionary<string, TrialOutput>> _results = [];

    /// <summary>Runs a batch of one picture, or returns the result of an earlier run.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    /// <exception cref="RunTimeoutException">It timed out and was ended.</exception>
    public IReadOnlyDictionary<string, TrialOutput> Run(int batch, TrialPicture picture)
    {
        if (!_results.TryGetValue((batch, picture), out var result))
        {
            _results[(batch, picture)] = result = RunOnce(batch, bytes => Fill(bytes, picture));
        }

        return result;
    }

    /// <summary>The result of an earlier run; <see langword="null"/> when there was none.</summary>
    public IReadOnlyDictionary<string, TrialOutput>? Known(int batch, TrialPicture picture) => _results.GetValueOrDefault((batch, picture));

    /// <summary>Runs a batch of pictures that <paramref name="fill"/> writes into the input's memory.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    /// <exception cref="RunTimeoutException">It lasted too long and was ended.</exception>
    public IReadOnlyDictionary<string, TrialOutput> Run(int batch, FillPictures fill) => RunOnce(batch, fill);

    private Dictionary<string, TrialOutput> RunOnce(int batch, FillPictures fill)
    {
        var tensor = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, input.Type, input.Shape(batch));
        fill(tensor.GetTensorMutableRawData());
        OrtValue[] values = [tensor, .. sides.Select(side => side.Create(batch, input.Width, input.Height))];
        using var options = new RunOptions();
        TrialMemory.ShrinkArenaAfterRun(options);
        using var limit = new RunLimit(options, bounds);
        limit.Begin(bounds.Longest);
        try
        {
            using var outputs = session.Run(
                options,
                [input.Name, .. sides.Select(side => side.Name)],
                values,
                session.OutputNames);
            return session.OutputNames.Zip(outputs).ToDictionary(o => o.First, o => Read(o.First, o.Second));
        }
        catch (OnnxRuntimeException) when (limit.HasEnded)
        {
            throw new RunTimeoutException(bounds.Longest);
        }
        finally
        {
            limit.End();
            Array.ForEach(values, value => value.Dispose());
        }
    }

    private void Fill(Span<byte> bytes, TrialPicture picture)
    {
        var random = new Random(1);
        float Level() => picture switch
        {
            TrialPicture.Black => 0,
            TrialPicture.White => 255,
            TrialPicture.WhiteFraction => 1,
            TrialPicture.Noise => random.Next(256),
            _ => random.NextSingle(),
        };
        switch (input.Type)
        {
            case TensorElementType.Float16:
                foreach (ref var half in MemoryMarshal.Cast<byte, Half>(bytes))
                {
                    half = (Half)Level();
                }

                break;
            case TensorElementType.UInt8:
                foreach (ref byte level in bytes)
                {
                    level = (byte)Level();
                }

                break;
            default:
                foreach (ref float single in MemoryMarshal.Cast<byte, float>(bytes))
                {
                    single = Level();
                }

                break;
        }
    }

    private static TrialOutput Read(string name, OrtValue output)
    {
        var tensor = output.GetTensorTypeAndShape();
        long count = TensorElements.Count(tensor.Shape);
        if (count > MaxValues)
        {
            throw new Manifest.ModelException($"output {name} has {count} values; a detector has at most {MaxValues}.");
        }

        float[] values = new float[count];
        if (values.Length > 0)
        {
            TensorElements.ToSingle(tensor.ElementDataType, output.GetTensorMutableRawData(), values);
        }

        return new TrialOutput(Array.ConvertAll(tensor.Shape, d => checked((int)d)), values);
    }
}

/// <summary>Writes the pictures of a run.</summary>
/// <param name="input">Memory of the input tensor.</param>
internal delegate void FillPictures(Span<byte> input);

/// <summary>A made-up picture, as values of the input. Whether a graph takes levels to 255 or to 1 is not known here.</summary>
internal enum TrialPicture
{
    /// <summary>All 0.</summary>
    Black,

    /// <summary>All 255.</summary>
    White,

    /// <summary>All 1.</summary>
    WhiteFraction,

    /// <summary>Any values from 0 to 255.</summary>
    Noise,

    /// <summary>Any values from 0 to 1.</summary>
    NoiseFraction,
}
