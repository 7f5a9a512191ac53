using Detection.Inference.Devices.Cpu;
using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices.Batched;

/// <summary>
/// Compares the outputs of a device with those of the CPU. Some providers have returned wrong numbers without an error (onnxruntime #26215).
/// </summary>
internal static class DeviceCheck
{
    /// <summary>Part of an output's values that must be similar to the CPU's: boxes with values near a limit may appear or disappear.</summary>
    private const double MustAgree = 0.95;

    /// <summary>Compares each batch size on two test pictures, in the first and in the last row.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="session">The graph on the device.</param>
    /// <param name="bounds">Time limits of runs on the CPU.</param>
    /// <param name="tolerance">Largest difference, as a part of the range of an output's values.</param>
    /// <param name="device">Name of the device.</param>
    /// <exception cref="ModelException">An output differs by more than allowed.</exception>
    public static async Task CompareWithCpuAsync(ModelGraph graph, BatchSession session, RunBounds bounds, float tolerance, string device)
    {
        var expected = RunOnCpu(graph, bounds, seeds: [1, 2]);
        await session.TryAsync(runs =>
        {
            foreach (var (batch, run) in runs)
            {
                Fill(run.Input, run.InputRow(0), seed: 1);
                if (batch > 1)
                {
                    Fill(run.Input, run.InputRow(batch - 1), seed: 2);
                }

                run.Run();
                Compare(expected[0], run.OutputRow(0));
                if (batch > 1)
                {
                    Compare(expected[1], run.OutputRow(batch - 1));
                }
            }
        });

        void Compare(float[][] cpu, IReadOnlyList<OutputTensor> outputs)
        {
            for (int i = 0; i < cpu.Length; i++)
            {
                float difference = Difference(cpu[i], outputs[i].Data.Span);

                // Written so that NaN fails.
                if (!(difference <= tolerance))
                {
                    throw new ModelException(
                        $"Model {graph.Model.Name} gives other numbers on {device} than on the CPU ({outputs[i].Name} is off by "
                        + $"{difference:P1} of its range): run it on the CPU, or update the driver and cuDNN.");
                }
            }
        }
    }

    /// <summary>
    /// The difference of two outputs, as a part of the expected output's range. Values are compared in ascending order, because outputs that are
    /// sorted by score change their order at the smallest difference. When the length of an output depends on the picture, only the length of the
    /// shorter one is compared.
    /// </summary>
    internal static float Difference(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        float[] a = expected.ToArray();
        float[] b = actual.ToArray();
        if (a.Length == 0 || b.Length == 0)
        {
            return 0;
        }

        Array.Sort(a);
        Array.Sort(b);
        float range = a[^1] - a[0];
        int count = Math.Min(a.Length, b.Length);
        float[] differences = new float[count];
        for (int i = 0; i < count; i++)
        {
            differences[i] = MathF.Abs(a[a.Length - 1 - i] - b[b.Length - 1 - i]);
            if (float.IsNaN(differences[i]) && !float.IsNaN(a[a.Length - 1 - i]))
            {
                return float.NaN;
            }
        }

        Array.Sort(differences);
        float most = differences[(int)((count - 1) * MustAgree)];
        return most == 0 ? 0 : most / Math.Max(range, float.Epsilon);
    }

    private static float[][][] RunOnCpu(ModelGraph graph, RunBounds bounds, int[] seeds)
    {
        int batch = Math.Max(graph.FixedBatch, 1);
        using var options = CpuDevice.CreateSessionOptions();
        using var session = graph.Open(options, batch);
        using var tensors = new TensorSet(OrtAllocator.DefaultInstance, graph, session, batch);
        using var run = tensors.Bind(session, batch, copiesInput: false, bounds);
        var results = new float[seeds.Length][][];
        for (int i = 0; i < seeds.Length; i++)
        {
            Fill(run.Input, run.InputRow(0), seeds[i]);
            run.Run();
            results[i] = [.. run.OutputRow(0).Select(output => output.Data.ToArray())];
        }

        return results;
    }

    /// <summary>A picture with smooth and rough parts, the same on every machine.</summary>
    private static void Fill(InputSpec input, Span<byte> row, int seed)
    {
        var random = new Random(seed);
        using var picture = Picture.Create(input.Width, input.Height);
        var pixels = picture.Pixels;
        for (int y = 0, i = 0; y < picture.Height; y++)
        {
            for (int x = 0; x < picture.Width; x++, i += Picture.BytesPerPixel)
            {
                int noise = ((x / 32) + (y / 32)) % 2 == 0 ? random.Next(96) : 0;
                pixels[i] = (byte)(x * 159 / picture.Width + noise);
                pixels[i + 1] = (byte)(y * 159 / picture.Height + noise);
                pixels[i + 2] = (byte)((x + y) * 159 / (picture.Width + picture.Height) + noise);
                pixels[i + 3] = 255;
            }
        }

        Preprocessor.Write(picture, input, row);
    }
}
