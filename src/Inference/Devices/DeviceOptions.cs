using System.ComponentModel.DataAnnotations;
using Detection.Inference.Loading;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Devices;

/// <summary>The devices on which this process runs models: section <c>Detection</c>.</summary>
public sealed class DeviceOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection";

    /// <summary>
    /// <c>auto</c>: every GPU that works, or the CPU without one. <c>none</c>: no device. Otherwise names, separated by commas:
    /// <c>cuda:0,cuda:1</c>, <c>cpu</c>.
    /// </summary>
    public string Devices { get; set; } = "auto";

    /// <summary>
    /// Number of threads that decode pictures and, on the <c>cpu</c> device, run models; 1 to 1,024. Default: the number of cores that this
    /// process may use.
    /// </summary>
    [Range(1, 1024)]
    public int CpuWorkers { get; set; } = Environment.ProcessorCount;

    /// <summary>
    /// Maximum duration of a run of a model, from 100 ms to 1 hour. A longer run is cancelled. A run is also cancelled when the deadlines of all
    /// its pictures passed a quarter of this time ago. Test runs while a model is loaded have the same limit; the first runs on a GPU, which
    /// may build engines, have 15 minutes.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan RunTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Limits of pictures.</summary>
    [ValidateObjectMembers]
    public PictureLimits Limits { get; set; } = new();

    /// <summary>How models run on GPUs.</summary>
    [ValidateObjectMembers]
    public CudaOptions Cuda { get; set; } = new();

    /// <summary>The memory for decoding pictures.</summary>
    internal DecodingMemory Memory { get; set; } = DecodingMemory.OfProcess;

    /// <summary>Maximum time to load a model. The host sets it from the settings of models.</summary>
    internal TimeSpan LoadTimeout { get; set; } = ModelLoad.DefaultLimit;

    /// <summary>The names in <see cref="Devices"/>.</summary>
    public IReadOnlyList<string> SplitNames() => Devices.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
