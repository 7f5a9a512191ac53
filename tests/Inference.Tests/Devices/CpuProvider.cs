using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Tests.Devices;

/// <summary>The CPU in place of a GPU: the same code runs, including the steps for separate memory.</summary>
internal sealed class CpuProvider : ExecutionProvider, IDisposable
{
    private OrtValue? _replaced;

    public override bool HasOwnMemory => true;

    /// <summary>Replaces a constant of the graph, so that the device returns other outputs.</summary>
    public (string Name, Func<OrtValue> Create)? Replace { get; init; }

    public override SessionOptions CreateSessionOptions()
    {
        var options = CpuDevice.CreateSessionOptions();
        if (Replace is var (name, create))
        {
            _replaced ??= create();

            // After optimisation, convolutions use a reordered copy of the constant.
            options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;
            options.AddInitializer(name, _replaced);
        }

        return options;
    }

    public override OrtAllocator CreateAllocator(InferenceSession session) => new(session, OrtMemoryInfo.DefaultInstance);

    public void Dispose() => _replaced?.Dispose();
}
