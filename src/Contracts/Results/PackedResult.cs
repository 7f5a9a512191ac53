using System.Runtime.InteropServices;
using Detection.Objects;

namespace Detection.Contracts.Results;

/// <summary>
/// The serialized form of a result. A picture has dozens of boxes down to the score floor. Reading each field of each box took more processor time
/// than everything else about a cached answer.
/// </summary>
[GenerateSerializer, Alias("detection.PackedResult")]
internal struct PackedResult
{
    /// <summary>See <see cref="DetectionResult.Model"/>.</summary>
    [Id(0)]
    public string Model;

    /// <summary>See <see cref="DetectionResult.Width"/>.</summary>
    [Id(1)]
    public int Width;

    /// <summary>See <see cref="DetectionResult.Height"/>.</summary>
    [Id(2)]
    public int Height;

    /// <summary>The boxes one after the other, 24 bytes each in their memory layout: little-endian, as on all supported machines.</summary>
    [Id(3)]
    public byte[] Boxes;

    /// <summary>See <see cref="DetectionResult.Timings"/>.</summary>
    [Id(4)]
    public StageTimings Timings;
}

/// <summary>Packs results and unpacks them.</summary>
[RegisterConverter]
internal sealed class PackedResultConverter : IConverter<DetectionResult, PackedResult>
{
    public DetectionResult ConvertFromSurrogate(in PackedResult surrogate) => new(
        surrogate.Model,
        surrogate.Width,
        surrogate.Height,
        MemoryMarshal.Cast<byte, DetectedObject>(surrogate.Boxes).ToArray(),
        surrogate.Timings);

    public PackedResult ConvertToSurrogate(in DetectionResult value) => new()
    {
        Model = value.Model,
        Width = value.Width,
        Height = value.Height,
        Boxes = MemoryMarshal.AsBytes(value.Boxes.AsSpan()).ToArray(),
        Timings = value.Timings,
    };
}
