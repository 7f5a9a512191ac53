using System.Runtime.Intrinsics;
using Detection.Inference.Pictures;

namespace Detection.Inference.Preprocessing;

/// <summary>A value of the tensor is the 8-bit channel value · Factor + Shift. Lanes red, green, blue, as in a <see cref="Picture"/>.</summary>
internal readonly struct Normalisation
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
                throw new ArgumentException("A uint8 input takes 8-bit channel values: Mean and Std must be 0 and 1.", nameof(spec));
            }

            factor.Fill(1);
        }

        Factor = Vector128.Create<float>(factor);
        Shift = Vector128.Create<float>(shift);
    }

    public Vector128<float> Factor { get; }

    public Vector128<float> Shift { get; }
}
