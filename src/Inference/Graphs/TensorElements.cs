using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Graphs;

/// <summary>Sizes of tensors and their conversion to 32-bit floating point, for the element types that detectors use.</summary>
internal static class TensorElements
{
    /// <summary>Number of values of a tensor.</summary>
    public static long Count(ReadOnlySpan<long> shape)
    {
        long count = 1;
        foreach (long dimension in shape)
        {
            count = checked(count * dimension);
        }

        return count;
    }

    /// <summary>Bytes of one value.</summary>
    /// <exception cref="ModelException">A type that detectors do not use.</exception>
    public static int SizeOf(TensorElementType type) => type switch
    {
        TensorElementType.Float or TensorElementType.Int32 => 4,
        TensorElementType.Float16 => 2,
        TensorElementType.Double or TensorElementType.Int64 => 8,
        TensorElementType.UInt8 or TensorElementType.Int8 or TensorElementType.Bool => 1,
        _ => throw new ModelException($"The model has a tensor of type {type}; export it with float32, float16, uint8 or integer tensors."),
    };

    /// <summary>Converts values to 32-bit floating point; integers above 2²⁴ are rounded.</summary>
    public static void ToSingle(TensorElementType type, ReadOnlySpan<byte> values, Span<float> destination)
    {
        switch (type)
        {
            case TensorElementType.Float:
                MemoryMarshal.Cast<byte, float>(values).CopyTo(destination);
                break;
            case TensorElementType.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(values), destination);
                break;
            case TensorElementType.Double:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(values), destination);
                break;
            case TensorElementType.Int64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, long>(values), destination);
                break;
            case TensorElementType.Int32:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, int>(values), destination);
                break;
            case TensorElementType.Int8:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, sbyte>(values), destination);
                break;
            default:
                TensorPrimitives.ConvertTruncating(values, destination);
                break;
        }
    }
}
