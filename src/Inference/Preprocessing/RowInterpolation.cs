using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Detection.Inference.Pictures;

namespace Detection.Inference.Preprocessing;

/// <summary>One row of the input, colour by colour.</summary>
internal readonly ref struct ColourRows(Span<float> red, Span<float> green, Span<float> blue)
{
    public Span<float> Red { get; } = red;

    public Span<float> Green { get; } = green;

    public Span<float> Blue { get; } = blue;
}

/// <summary>Bilinear interpolation of one row of the input from two rows of the picture.</summary>
internal static class RowInterpolation
{
    /// <summary>Left (or upper) source pixel and weight of its neighbour for an output pixel; at the borders the last pixel is repeated.</summary>
    public static (int Index, float Weight) Sample(
        int output, int originalSize, int outputSize, int reduction, float overhang, int storedSize)
    {
        var centre = ((output + 0.5) * originalSize / ((double)outputSize * reduction)) + overhang - 0.5;
        if (centre <= 0)
        {
            return (0, 0);
        }

        var index = (int)centre;
        return index >= storedSize - 1 ? (storedSize - 1, 0) : (index, (float)(centre - index));
    }

    /// <summary>Combines two source rows into one in floating point. Its last pixel is repeated, so that every pixel has a right neighbour.</summary>
    public static void Blend(ReadOnlySpan<byte> upper, ReadOnlySpan<byte> lower, float weight, Span<float> blended)
    {
        Debug.Assert(lower.Length == upper.Length && blended.Length == upper.Length + Picture.BytesPerPixel, "Row lengths differ.");
        ref var u = ref MemoryMarshal.GetReference(upper);
        ref var l = ref MemoryMarshal.GetReference(lower);
        ref var b = ref MemoryMarshal.GetReference(blended);
        var w = new Vector<float>(weight);
        var i = 0;
        for (; i <= upper.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(Vector.LoadUnsafe(ref u, (nuint)i), out var u0, out var u1);
            Vector.Widen(Vector.LoadUnsafe(ref l, (nuint)i), out var l0, out var l1);
            BlendHalf(u0, l0, w, ref Unsafe.Add(ref b, i));
            BlendHalf(u1, l1, w, ref Unsafe.Add(ref b, i + Vector<ushort>.Count));
        }

        for (; i < upper.Length; i++)
        {
            blended[i] = upper[i] + ((lower[i] - upper[i]) * weight);
        }

        blended.Slice(upper.Length - Picture.BytesPerPixel, Picture.BytesPerPixel).CopyTo(blended[upper.Length..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BlendHalf(Vector<ushort> upper, Vector<ushort> lower, Vector<float> weight, ref float blended)
    {
        Vector.Widen(upper.As<ushort, short>(), out var u0, out var u1);
        Vector.Widen((lower - upper).As<ushort, short>(), out var d0, out var d1);
        Vector.FusedMultiplyAdd(Vector.ConvertToSingle(d0), weight, Vector.ConvertToSingle(u0)).StoreUnsafe(ref blended);
        Vector.FusedMultiplyAdd(Vector.ConvertToSingle(d1), weight, Vector.ConvertToSingle(u1))
            .StoreUnsafe(ref blended, (nuint)Vector<float>.Count);
    }

    /// <summary>Converts one blended row to three planar rows, normalised.</summary>
    public static void Interpolate(
        ReadOnlySpan<float> blended, ReadOnlySpan<int> offsets, ReadOnlySpan<float> weights, in Normalisation normal, ColourRows rows)
    {
        Debug.Assert(
            weights.Length == offsets.Length && rows.Red.Length == offsets.Length && rows.Green.Length == offsets.Length
            && rows.Blue.Length == offsets.Length && offsets[^1] <= blended.Length - (2 * Picture.BytesPerPixel),
            "Row lengths differ.");
        ref var b = ref MemoryMarshal.GetReference(blended);
        ref var offset = ref MemoryMarshal.GetReference(offsets);
        ref var weight = ref MemoryMarshal.GetReference(weights);
        ref var red = ref MemoryMarshal.GetReference(rows.Red);
        ref var green = ref MemoryMarshal.GetReference(rows.Green);
        ref var blue = ref MemoryMarshal.GetReference(rows.Blue);
        var factor = normal.Factor;
        var shift = normal.Shift;
        var x = 0;
        for (; x <= offsets.Length - 4; x += 4)
        {
            var p0 = Pixel(ref b, ref offset, ref weight, x, factor, shift);
            var p1 = Pixel(ref b, ref offset, ref weight, x + 1, factor, shift);
            var p2 = Pixel(ref b, ref offset, ref weight, x + 2, factor, shift);
            var p3 = Pixel(ref b, ref offset, ref weight, x + 3, factor, shift);
            var (reds, greens, blues) = Transpose(p0, p1, p2, p3);
            reds.StoreUnsafe(ref red, (nuint)x);
            greens.StoreUnsafe(ref green, (nuint)x);
            blues.StoreUnsafe(ref blue, (nuint)x);
        }

        for (; x < offsets.Length; x++)
        {
            var p = Pixel(ref b, ref offset, ref weight, x, factor, shift);
            (rows.Red[x], rows.Green[x], rows.Blue[x]) = (p[0], p[1], p[2]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Pixel(
        ref float blended, ref int offsets, ref float weights, int x, Vector128<float> factor, Vector128<float> shift)
    {
        ref var pixel = ref Unsafe.Add(ref blended, Unsafe.Add(ref offsets, x));
        var left = Vector128.LoadUnsafe(ref pixel);
        var right = Vector128.LoadUnsafe(ref pixel, Picture.BytesPerPixel);
        var value = Vector128.MultiplyAddEstimate(right - left, Vector128.Create(Unsafe.Add(ref weights, x)), left);
        return Vector128.MultiplyAddEstimate(value, factor, shift);
    }

    /// <summary>Converts four pixels of four channels to three channels of four pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> Red, Vector128<float> Green, Vector128<float> Blue) Transpose(
        Vector128<float> p0, Vector128<float> p1, Vector128<float> p2, Vector128<float> p3)
    {
        if (Sse.IsSupported)
        {
            var low01 = Sse.UnpackLow(p0, p1);
            var low23 = Sse.UnpackLow(p2, p3);
            return (
                Sse.MoveLowToHigh(low01, low23),
                Sse.MoveHighToLow(low23, low01),
                Sse.MoveLowToHigh(Sse.UnpackHigh(p0, p1), Sse.UnpackHigh(p2, p3)));
        }

        return (
            Vector128.Create(p0[0], p1[0], p2[0], p3[0]),
            Vector128.Create(p0[1], p1[1], p2[1], p3[1]),
            Vector128.Create(p0[2], p1[2], p2[2], p3[2]));
    }
}
