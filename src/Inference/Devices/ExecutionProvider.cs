using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices;

/// <summary>What ONNX Runtime runs a batch device's models with.</summary>
internal abstract class ExecutionProvider
{
    /// <summary>
    /// Whether it has memory of its own: inputs are then copied there when they are bound, outputs back after the run.
    /// </summary>
    public abstract bool HasOwnMemory { get; }

    /// <summary>Options of a session that runs on it.</summary>
    /// <exception cref="OnnxRuntimeException">It is not there.</exception>
    /// <exception cref="EntryPointNotFoundException">This build of ONNX Runtime does not have it.</exception>
    public abstract SessionOptions CreateSessionOptions();

    /// <summary>Gives host memory that it copies from and to fastest. Lives as long as the session.</summary>
    public abstract OrtAllocator CreateAllocator(InferenceSession session);
}
