using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices;

/// <summary>The execution provider of ONNX Runtime that a batch device uses.</summary>
internal abstract class ExecutionProvider
{
    /// <summary>Whether it has separate memory: inputs are then copied there when they are bound, and outputs are copied back after the run.</summary>
    public abstract bool HasOwnMemory { get; }

    /// <summary>Options of a session that uses it.</summary>
    /// <exception cref="OnnxRuntimeException">It is not available.</exception>
    /// <exception cref="EntryPointNotFoundException">This build of ONNX Runtime does not contain it.</exception>
    public abstract SessionOptions CreateSessionOptions();

    /// <summary>An allocator of the host memory that it copies from and to fastest. It lives as long as the session.</summary>
    public abstract OrtAllocator CreateAllocator(InferenceSession session);
}
