using System.Buffers;
using System.Diagnostics;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Detection.Inference.Pictures;

namespace Detection.Inference.Preprocessing;

/// <summary>
/// Fills an input tensor from a picture in one pass: bilinear with half-pixel centres and without antialiasing (OpenCV's
/// INTER_LINEAR, computed in floating point), normalised, in the order and type that the model takes.
/// </summary>
public static class Preprocessor
{
    /// <summary>Writes one picture's slice of the input tensor.</summary>
    /// <param name="picture">The picture, possibly decoded at a smaller scale.</param>
    /// <param name="spec">The input.</param>
    /// <param name="destination">The slice, <see cref="InputSpec.ByteLength"/> bytes; all of it is written.</param>
    /// <returns>Where the picture lies in the input.</returns>
    /// <exception cref="ArgumentException">The destination is of another length, or the specification contradicts itself.</exception>
    public static InputGeometry Write(Picture picture, InputSpec spec, Span<byte> destination)
    {
        if (destination.Length != spec.ByteLength)
        {
            throw new ArgumentException($"{destination.Length} bytes given, {spec.ByteLength} needed.", nameof(destination));
        }

        var geometry = InputGeometry.Of(spec, picture.OriginalWidth, picture.OriginalHeight);
        var (width, height) = spec.Fit(picture.OriginalWidth, picture.OriginalHeight);
        var place = new Rectangle((int)geometry.OffsetX, (int)geometry.OffsetY, width, height);
        var normal = new Normalisation(spec);

        // Scratch: the blended source row (one pixel more, see Blend), a planar row, and for each output column its left source
        // pixel and the weight of the right one.
        var blendedLength = (picture.Width + 1) * Picture.BytesPerPixel;
        var scratch = ArrayPool<float>.Shared.Rent(blendedLength + (3 * width) + width);
        var columns = ArrayPool<int>.Shared.Rent(width);
        try
        {
            var blended = scratch.AsSpan(0, blendedLength);
            var planar = scratch.AsSpan(blendedLength, 3 * width);
            var weights = scratch.AsSpan(blendedLength + (3 * width), width);
            var offsets = columns.AsSpan(0, width);
            for (var x = 0; x < width; x++)
            {
                (var column, weights[x]) = Sample(x, picture.OriginalWidth, width, picture.Reduction, picture.OverhangLeft, picture.Width);
                offsets[x] = column * Picture.BytesPerPixel;
            }

            var tensor = new TensorWriter(spec, normal, destination);
            tensor.Pad(place);
            for (var y = 0; y < height; y++)
            {
                var (row, weight) = Sample(y, picture.OriginalHeight, height, picture.Reduction, picture.OverhangTop, picture.Height);
                var upper = picture.Pixels.Slice(row * picture.Stride, picture.Stride);
                var lower = picture.Pixels.Slice(Math.Min(row + 1, picture.Height - 1) * picture.Stride, picture.Stride);
                Blend(upper, lower, weight, blended);

                var rows = tensor.Rows(place, y, planar);
                Interpolate(blended, offsets, weights, normal, rows);
                tensor.Finish(place, y, rows);
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(columns);
            ArrayPool<float>.Shared.Return(scratch);
        }

        return geometry;
    }

    /// <summary>Left (or upper) source pixel and weight of its neighbour for an output pixel; at the borders the last pixel counts.</summary>
    private static (int Index, float Weight) Sample(
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

    /// <summary>
    /// Two source rows become one in floating point. Its last pixel is repeated, so that every pixel has a right neighbour.
    /// </summary>
    private static void Blend(ReadOnlySpan<byte> upper, ReadOnlySpan<byte> lower, float weight, Span<float> blended)
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

    /// <summary>One blended row becomes three planar rows, normalised.</summary>
    private static void Interpolate(
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
        var grey = Vector128.MultiplyAddEstimate(right - left, Vector128.Create(Unsafe.Add(ref weights, x)), left);
        return Vector128.MultiplyAddEstimate(grey, factor, shift);
    }

    /// <summary>Four pixels of four channels become three channels of four pixels.</summary>
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

    /// <summary>Where in the input the picture lies, in input pixels.</summary>
    private readonly record struct Rectangle(int Left, int Top, int Width, int Height);

    /// <summary>One row of the input, colour by colour.</summary>
    private readonly ref struct ColourRows(Span<float> red, Span<float> green, Span<float> blue)
    {
        public Span<float> Red { get; } = red;

        public Span<float> Green { get; } = green;

        public Span<float> Blue { get; } = blue;
    }

    /// <summary>A value is grey · Factor + Shift. Lanes red, green, blue, as in a <see cref="Picture"/>.</summary>
    private readonly struct Normalisation
    {
        public Normalisation(InputSpec spec)
        {
            Span<float> factor = stackalloc float[4];
            Span<float> shift = stackalloc float[4];
            factor.Clear();
            shift.Clear();
            if (spec.Mean.Count != 3 || spec.Std.Count != 3)
            {
                throw new ArgumentException("Mean and Std need three values each.", nameof(spec));
            }

            for (var channel = 0; channel < 3; channel++)
            {
                var lane = spec.Channels == ChannelOrder.Rgb ? channel : 2 - channel;
                factor[lane] = 1 / (spec.Scale * spec.Std[channel]);
                shift[lane] = -spec.Mean[channel] / spec.Std[channel];
            }

            if (spec.Element == TensorElement.UInt8)
            {
                if (spec.Mean.Any(mean => mean != 0) || spec.Std.Any(std => std != 1))
                {
                    throw new ArgumentException("A uint8 input takes grey levels: Mean and Std must be 0 and 1.", nameof(spec));
                }

                factor.Fill(1);
            }

            Factor = Vector128.Create<float>(factor);
            Shift = Vector128.Create<float>(shift);
        }

        public Vector128<float> Factor { get; }

        public Vector128<float> Shift { get; }
    }

    /// <summary>Knows the layout and type of the tensor.</summary>
    private readonly ref struct TensorWriter(InputSpec spec, Normalisation normal, Span<byte> destination)
    {
        private readonly Span<byte> _destination = destination;

        private int Plane => spec.Width * spec.Height;

        /// <summary>Tensor channel of a colour, 0 red to 2 blue.</summary>
        private int Channel(int colour) => spec.Channels == ChannelOrder.Rgb ? colour : 2 - colour;

        /// <summary>Fills everything outside of the picture.</summary>
        public void Pad(Rectangle place)
        {
            if (place.Width == spec.Width && place.Height == spec.Height)
            {
                return;
            }

            for (var colour = 0; colour < 3; colour++)
            {
                var value = spec.Padding is { } grey ? (grey * normal.Factor[colour]) + normal.Shift[colour] : 0;
                for (var y = 0; y < spec.Height; y++)
                {
                    if (y < place.Top || y >= place.Top + place.Height)
                    {
                        Fill(colour, y, 0, spec.Width, value);
                    }
                    else
                    {
                        Fill(colour, y, 0, place.Left, value);
                        Fill(colour, y, place.Left + place.Width, spec.Width, value);
                    }
                }
            }
        }

        /// <summary>Where to put a row's values: in the tensor itself where they need no conversion, else in scratch.</summary>
        public ColourRows Rows(Rectangle place, int y, Span<float> scratch)
        {
            if (spec is { Element: TensorElement.Float32, Layout: TensorLayout.Nchw })
            {
                var floats = MemoryMarshal.Cast<byte, float>(_destination);
                var start = ((place.Top + y) * spec.Width) + place.Left;
                return new(
                    floats.Slice((Channel(0) * Plane) + start, place.Width),
                    floats.Slice((Channel(1) * Plane) + start, place.Width),
                    floats.Slice((Channel(2) * Plane) + start, place.Width));
            }

            return new(scratch[..place.Width], scratch.Slice(place.Width, place.Width), scratch.Slice(2 * place.Width, place.Width));
        }

        /// <summary>Brings a row from scratch into the tensor, where <see cref="Rows"/> did not give out the tensor itself.</summary>
        public void Finish(Rectangle place, int y, ColourRows rows)
        {
            if (spec is { Element: TensorElement.Float32, Layout: TensorLayout.Nchw })
            {
                return;
            }

            Convert(0, place, y, rows.Red);
            Convert(1, place, y, rows.Green);
            Convert(2, place, y, rows.Blue);
        }

        private void Convert(int colour, Rectangle place, int y, ReadOnlySpan<float> values)
        {
            var (start, step) = Position(colour, place.Top + y, place.Left);
            switch (spec.Element)
            {
                case TensorElement.Float32:
                    Spread<float, Float32>(values, MemoryMarshal.Cast<byte, float>(_destination)[start..], step);
                    break;
                case TensorElement.Float16 when step == 1:
                    TensorPrimitives.ConvertToHalf(values, MemoryMarshal.Cast<byte, Half>(_destination)[start..]);
                    break;
                case TensorElement.Float16:
                    Spread<Half, Float16>(values, MemoryMarshal.Cast<byte, Half>(_destination)[start..], step);
                    break;
                case TensorElement.UInt8 when step == 1:
                    Round(values, _destination.Slice(start, values.Length));
                    break;
                default:
                    Spread<byte, UInt8>(values, _destination[start..], step);
                    break;
            }
        }

        private void Fill(int colour, int y, int from, int to, float value)
        {
            var (start, step) = Position(colour, y, from);
            switch (spec.Element)
            {
                case TensorElement.Float32:
                    Fill(MemoryMarshal.Cast<byte, float>(_destination), start, step, to - from, value);
                    break;
                case TensorElement.Float16:
                    Fill(MemoryMarshal.Cast<byte, Half>(_destination), start, step, to - from, (Half)value);
                    break;
                default:
                    Fill(_destination, start, step, to - from, (byte)Math.Clamp(value + 0.5f, 0, 255));
                    break;
            }
        }

        /// <summary>Index of a value and the distance to its right neighbour.</summary>
        private (int Start, int Step) Position(int colour, int y, int x) => spec.Layout == TensorLayout.Nchw
            ? ((Channel(colour) * Plane) + (y * spec.Width) + x, 1)
            : ((((y * spec.Width) + x) * 3) + Channel(colour), 3);

        private static void Spread<T, TElement>(ReadOnlySpan<float> values, Span<T> target, int step)
            where TElement : struct, IElement<T>
        {
            for (int i = 0, at = 0; i < values.Length; i++, at += step)
            {
                target[at] = TElement.From(values[i]);
            }
        }

        private static void Round(ReadOnlySpan<float> values, Span<byte> target)
        {
            ref var v = ref MemoryMarshal.GetReference(values);
            ref var t = ref MemoryMarshal.GetReference(target);
            var half = new Vector<float>(0.5f);
            var i = 0;
            for (; i <= values.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            {
                var low = Vector.Narrow(Four(ref v, i, half), Four(ref v, i + Vector<float>.Count, half));
                var high = Vector.Narrow(
                    Four(ref v, i + (2 * Vector<float>.Count), half), Four(ref v, i + (3 * Vector<float>.Count), half));
                Vector.Narrow(low, high).StoreUnsafe(ref t, (nuint)i);
            }

            for (; i < values.Length; i++)
            {
                target[i] = UInt8.From(values[i]);
            }

            static Vector<uint> Four(ref float values, int at, Vector<float> half) =>
                Vector.ConvertToInt32(Vector.LoadUnsafe(ref values, (nuint)at) + half).As<int, uint>();
        }

        private static void Fill<T>(Span<T> target, int start, int step, int count, T value)
        {
            if (step == 1)
            {
                target.Slice(start, count).Fill(value);
                return;
            }

            for (int i = 0, at = start; i < count; i++, at += step)
            {
                target[at] = value;
            }
        }
    }

    /// <summary>A type of tensor values, made from a value that is in its range.</summary>
    private interface IElement<T>
    {
        static abstract T From(float value);
    }

    private readonly struct Float32 : IElement<float>
    {
        public static float From(float value) => value;
    }

    private readonly struct Float16 : IElement<Half>
    {
        public static Half From(float value) => (Half)value;
    }

    private readonly struct UInt8 : IElement<byte>
    {
        public static byte From(float value) => (byte)(value + 0.5f);
    }
}
