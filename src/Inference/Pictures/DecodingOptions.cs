using System.ComponentModel.DataAnnotations;

namespace Detection.Inference.Pictures;

/// <summary>How this process decodes pictures: section <c>Detection:Decoding</c>.</summary>
public sealed class DecodingOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Decoding";

    /// <summary>
    /// Bytes that decoding may take at the same time, to 1 PiB; 0, the default, for <see cref="DecodingMemory.DefaultLimit"/>.
    /// </summary>
    [Range(0, 1L << 50)]
    public long MaxMemory { get; set; }

    /// <summary>Makes them those of the process.</summary>
    public void Apply() => DecodingMemory.OfProcess.Limit = MaxMemory > 0 ? MaxMemory : DecodingMemory.DefaultLimit;
}
