using Detection.Inference.Devices.Batched;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices.Discovery;

/// <summary>Finds out whether a provider works on this machine, with a graph of one convolution.</summary>
internal static class ProviderProbe
{
    /// <summary>y = Relu(Conv(x)), x [2, 3, 16, 16], four filters of 3 × 3 with padding 1, operator set 13.</summary>
    private static readonly byte[] Graph = Convert.FromBase64String(
        "CAgSADq2BAoiCgF4CgF3EgFjIgRDb252KhEKBHBhZHNAAUABQAFAAaABBwoMCgFjEgF5IgRSZWx1EgVwcm9iZSrAAwgECAMIAwgDEAFCAXdKsA"
        + "MAAMC+AABAvgAAAAAAAEA+AADAPgAAgL4AAIC9AAAAPgAAoD4AAKC+AAAAvgAAgD0AAIA+AADAvgAAQL4AAAAAAABAPgAAwD4AAIC+AACAvQAA"
        + "AD4AAKA+AACgvgAAAL4AAIA9AACAPgAAwL4AAEC+AAAAAAAAQD4AAMA+AACAvgAAgL0AAAA+AACgPgAAoL4AAAC+AACAPQAAgD4AAMC+AABAvg"
        + "AAAAAAAEA+AADAPgAAgL4AAIC9AAAAPgAAoD4AAKC+AAAAvgAAgD0AAIA+AADAvgAAQL4AAAAAAABAPgAAwD4AAIC+AACAvQAAAD4AAKA+AACg"
        + "vgAAAL4AAIA9AACAPgAAwL4AAEC+AAAAAAAAQD4AAMA+AACAvgAAgL0AAAA+AACgPgAAoL4AAAC+AACAPQAAgD4AAMC+AABAvgAAAAAAAEA+AA"
        + "DAPgAAgL4AAIC9AAAAPgAAoD4AAKC+AAAAvgAAgD0AAIA+AADAvgAAQL4AAAAAAABAPgAAwD4AAIC+AACAvQAAAD4AAKA+AACgvgAAAL4AAIA9"
        + "AACAPgAAwL4AAEC+AAAAAAAAQD5aGwoBeBIWChQIARIQCgIIAgoCCAMKAggQCgIIEGIbCgF5EhYKFAgBEhAKAggCCgIIBAoCCBAKAggQQgQKAB"
        + "AN");

    /// <summary>The fault of the provider, as the end of a sentence; <see langword="null"/> when it works.</summary>
    public static string? FindProblem(ExecutionProvider provider)
    {
        try
        {
            using var options = provider.CreateSessionOptions();
            using var cpu = new SessionOptions { IntraOpNumThreads = 1 };
            float[] actual = Run(options);
            float[] expected = Run(cpu);
            float difference = DeviceCheck.Difference(expected, actual);
            return difference <= 0.02f
                ? null
                : $"it computes a convolution differently from the CPU, off by {difference:P1}; update the driver and cuDNN.";
        }
        catch (EntryPointNotFoundException)
        {
            return "this program was built for the CPU; build it with -p:Accelerator=cuda.";
        }
        catch (OnnxRuntimeException e) when (e.Message.Contains("not enabled in this build", StringComparison.Ordinal))
        {
            return "this program was built for the CPU; build it with -p:Accelerator=cuda.";
        }
        catch (Exception e) when (e is OnnxRuntimeException or DllNotFoundException or TypeInitializationException)
        {
            return $"install the CUDA and cuDNN libraries that this build of ONNX Runtime needs ({e.Message.Trim()}).";
        }
    }

    private static float[] Run(SessionOptions options)
    {
        using var session = new InferenceSession(Graph, options);
        float[] input = new float[2 * 3 * 16 * 16];
        for (int i = 0; i < input.Length; i++)
        {
            input[i] = i * 37 % 101 / 101f;
        }

        using var tensor = OrtValue.CreateTensorValueFromMemory(input, [2, 3, 16, 16]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, ["x"], [tensor], ["y"]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
