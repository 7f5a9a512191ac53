using System.ComponentModel.DataAnnotations;

namespace Detection.Inference.Devices;

/// <summary>How models run on GPUs.</summary>
public sealed class CudaOptions
{
    /// <summary>Maximum number of pictures in a run, 1 to 256. Default 32.</summary>
    [Range(1, 256)]
    public int MaxBatch { get; set; } = 32;

    /// <summary>
    /// Maximum GPU memory per model and batch size, in MiB; 0, the default, for no limit.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int MemoryLimitMiB { get; set; }

    /// <summary>Whether convolutions run in NHWC layout (channels last), which is faster for most float16 models. Default false.</summary>
    public bool PreferNhwc { get; set; }

    /// <summary>
    /// Whether the GPU may use TF32, which has a mantissa of 10 bits: a little faster, but boxes differ slightly from the CPU's. Default false.
    /// </summary>
    public bool Tf32 { get; set; }

    /// <summary>Whether TensorRT runs the parts of a graph that it supports; CUDA runs the others. Default false.</summary>
    public bool TensorRt { get; set; }

    /// <summary>
    /// Folder in which TensorRT keeps its engines. Only this program may have the right to write there. Required with <see cref="TensorRt"/>.
    /// </summary>
    public string TensorRtCache { get; set; } = "";

    /// <summary>Whether TensorRT may compute in float16. Default false.</summary>
    public bool TensorRtHalf { get; set; }

    /// <summary>
    /// Whether the outputs of a model for test pictures are compared with the CPU's before it serves. Default true.
    /// </summary>
    public bool Verify { get; set; } = true;

    /// <summary>
    /// Maximum difference of an output from the CPU's, as a part of the output's range, above 0 to 1. Default 0.02.
    /// </summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public float VerifyTolerance { get; set; } = 0.02f;
}
