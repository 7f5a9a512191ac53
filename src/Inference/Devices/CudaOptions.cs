using System.ComponentModel.DataAnnotations;

namespace Detection.Inference.Devices;

/// <summary>How models run on GPUs.</summary>
public sealed class CudaOptions
{
    /// <summary>Most pictures in a run, 1 to 256. Default 32.</summary>
    [Range(1, 256)]
    public int MaxBatch { get; set; } = 32;

    /// <summary>
    /// Most GPU memory per model and batch size, in MiB; 0 for no limit, the default.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int MemoryLimitMiB { get; set; }

    /// <summary>Whether convolutions run channels-last, faster for most float16 models. Default no.</summary>
    public bool PreferNhwc { get; set; }

    /// <summary>
    /// Whether the card may round to TF32, 10 bits after the point: a little faster, and boxes are no longer quite the CPU's.
    /// Default no.
    /// </summary>
    public bool Tf32 { get; set; }

    /// <summary>Whether TensorRT runs what it can, CUDA the rest. Default no.</summary>
    public bool TensorRt { get; set; }

    /// <summary>
    /// Folder where TensorRT keeps its engines; only this program may write there. Must be set where
    /// <see cref="TensorRt"/> is.
    /// </summary>
    public string TensorRtCache { get; set; } = "";

    /// <summary>Whether TensorRT may compute in 16 bits. Default no.</summary>
    public bool TensorRtHalf { get; set; }

    /// <summary>
    /// Whether a model that was loaded is compared with the CPU, on test pictures, before it serves. Default yes.
    /// </summary>
    public bool Verify { get; set; } = true;

    /// <summary>
    /// How far its outputs may be from the CPU's, as a part of each output's range, above 0 to 1. Default 0.02.
    /// </summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public float VerifyTolerance { get; set; } = 0.02f;
}
