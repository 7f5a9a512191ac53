using System.ComponentModel.DataAnnotations;
using Detection.Inference.Loading;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Devices;

/// <summary>Which devices this process runs models on, and how: section <c>Detection</c> itself.</summary>
public sealed class DeviceOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection";

    /// <summary>
    /// <c>auto</c>: every GPU that works, else the CPU. <c>none</c>: no device. Otherwise names, separated by commas:
    /// <c>cuda:0,cuda:1</c>, <c>cpu</c>.
    /// </summary>
    public string Devices { get; set; } = "auto";

    /// <summary>
    /// Threads that decode pictures and, on the <c>cpu</c> device, run models; 1 to 1,024. Default: the cores that this
    /// process may use.
    /// </summary>
    [Range(1, 1024)]
    public int CpuWorkers { get; set; } = Environment.ProcessorCount;

    /// <summary>
    /// Longest that a run of a model may last, from 100 ms to 1 hour. It is ended then, and at the latest a quarter of this time after the
    /// deadlines of all its pictures. Runs that try a model while it is loaded are ended too; the first ones on a GPU, which may build
    /// engines, after 15 minutes.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan RunTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What a picture may cost.</summary>
    [ValidateObjectMembers]
    public PictureLimits Limits { get; set; } = new();

    /// <summary>How models run on GPUs.</summary>
    [ValidateObjectMembers]
    public CudaOptions Cuda { get; set; } = new();

    /// <summary>What the decoding of pictures takes its memory from.</summary>
    internal DecodingMemory Memory { get; set; } = DecodingMemory.OfProcess;

    /// <summary>Longest that a model may take to be loaded. The host sets it: the setting is one of models.</summary>
    internal TimeSpan LoadTimeout { get; set; } = ModelLoad.DefaultLimit;

    /// <summary>The names in <see cref="Devices"/>.</summary>
    public IReadOnlyList<string> SplitNames() => Devices.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
