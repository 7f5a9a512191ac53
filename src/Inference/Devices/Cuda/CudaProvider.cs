using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices.Cuda;

/// <summary>One NVIDIA GPU, through CUDA and, if configured, TensorRT.</summary>
internal sealed class CudaProvider(int index, CudaOptions options) : ExecutionProvider
{
    /// <inheritdoc/>
    public override bool HasOwnMemory => true;

    /// <inheritdoc/>
    public override SessionOptions CreateSessionOptions()
    {
        var session = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        try
        {
            session.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            if (options.TensorRt)
            {
                using var tensorRt = new OrtTensorRTProviderOptions();
                tensorRt.UpdateOptions(TensorRtSettings());
                session.AppendExecutionProvider_Tensorrt(tensorRt);
            }

            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(CudaSettings());
            session.AppendExecutionProvider_CUDA(cuda);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override OrtAllocator CreateAllocator(InferenceSession session)
    {
        using var pageLocked = new OrtMemoryInfo(
            OrtMemoryInfo.allocatorCUDA_PINNED,
            OrtAllocatorType.DeviceAllocator,
            index,
            OrtMemType.CpuOutput);
        return new OrtAllocator(session, pageLocked);
    }

    /// <summary>Settings of the CUDA provider.</summary>
    internal Dictionary<string, string> CudaSettings()
    {
        var settings = new Dictionary<string, string>
        {
            ["device_id"] = index.ToString(CultureInfo.InvariantCulture),

            // EXHAUSTIVE takes hundreds of milliseconds per shape, and DEFAULT uses a slow algorithm.
            ["cudnn_conv_algo_search"] = "HEURISTIC",
            ["do_copy_in_default_stream"] = "1",

            // Sessions of several batch sizes share the card: none allocates twice what it needs.
            ["arena_extend_strategy"] = "kSameAsRequested",
            ["use_tf32"] = options.Tf32 ? "1" : "0",
            ["prefer_nhwc"] = options.PreferNhwc ? "1" : "0",
        };
        if (options.MemoryLimitMiB > 0)
        {
            settings["gpu_mem_limit"] = (options.MemoryLimitMiB * 1024L * 1024L).ToString(CultureInfo.InvariantCulture);
        }

        return settings;
    }

    /// <summary>Settings of the TensorRT provider: building an engine takes minutes, so engines are kept on disk.</summary>
    internal Dictionary<string, string> TensorRtSettings() => new()
    {
        ["device_id"] = index.ToString(CultureInfo.InvariantCulture),
        ["trt_engine_cache_enable"] = "1",
        ["trt_engine_cache_path"] = options.TensorRtCache,
        ["trt_timing_cache_enable"] = "1",
        ["trt_timing_cache_path"] = options.TensorRtCache,
        ["trt_fp16_enable"] = options.TensorRtHalf ? "1" : "0",
    };
}
