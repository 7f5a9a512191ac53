using System.ComponentModel.DataAnnotations;

namespace Detection.Inference.Pictures;

/// <summary>Decoding of pictures in this process: section <c>Detection:Decoding</c>.</summary>
public sealed class DecodingOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Decoding";

    /// <summary>
    /// Memory that decoding and drawing may use at the same time, in bytes, up to 1 PiB; 0, the default, for <see cref="DecodingMemory.DefaultLimit"/>.
    /// </summary>
    [Range(0, 1L << 50)]
    public long MaxMemory { get; set; }

    /// <summary>Applies these settings to the process.</summary>
    public void Apply() => DecodingMemory.OfProcess.Limit = MaxMemory > 0 ? MaxMemory : DecodingMemory.DefaultLimit;
}
