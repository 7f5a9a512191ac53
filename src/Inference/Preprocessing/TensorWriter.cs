using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Detection.Inference.Preprocessing;

/// <summary>The place of the picture in the input, in input pixels.</summary>
internal readonly record struct PicturePlace(int Left, int Top, int Width, int Height);

/// <summary>Writes values in the layout and type of the tensor.</summary>
internal readonly ref struct TensorWriter(InputSpec spec, Normalisation normal, Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    private int Plane => spec.Width * spec.Height;

    /// <summary>Tensor channel of a colour, 0 red to 2 blue.</summary>
    private int Channel(int colour) => spec.Channels == ChannelOrder.Rgb ? colour : 2 - colour;

    /// <summary>Fills everything outside of the picture.</summary>
    public void Pad(PicturePlace place)
    {
        if (place.Width == spec.Width && place.Height == spec.Height)
        {
            return;
        }

        for (var colour = 0; colour < 3; colour++)
        {
            var value = spec.Padding is { } padding ? (padding * normal.Factor[colour]) + normal.Shift[colour] : 0;
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

    /// <summary>Target of a row's values: the tensor itself if they need no conversion, otherwise scratch memory.</summary>
    public ColourRows Rows(PicturePlace place, int y, Span<float> scratch)
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

    /// <summary>Copies a row from scratch memory into the tensor, if <see cref="Rows"/> did not return the tensor itself.</summary>
    public void Finish(PicturePlace place, int y, ColourRows rows)
    {
        if (spec is { Element: TensorElement.Float32, Layout: TensorLayout.Nchw })
        {
            return;
        }

        Convert(0, place, y, rows.Red);
        Convert(1, place, y, rows.Green);
        Convert(2, place, y, rows.Blue);
    }

    private void Convert(int colour, PicturePlace place, int y, ReadOnlySpan<float> values)
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

    /// <summary>A type of tensor values, converted from a value in its range.</summary>
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
