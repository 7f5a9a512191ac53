using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Tests.Preprocessing;

/// <summary>The simplest calculation of an input tensor, in double precision, value by value.</summary>
internal static class ReferencePreprocessor
{
    /// <summary>Value of a tensor channel at an input pixel, for a picture at the given place.</summary>
    public static double Value(
        Picture picture, InputSpec spec, (int Left, int Top, int Width, int Height) place, int channel, int y, int x)
    {
        var inside = x >= place.Left && x < place.Left + place.Width && y >= place.Top && y < place.Top + place.Height;
        if (!inside && spec.Padding is null)
        {
            return 0;
        }

        var grey = inside
            ? Bilinear(picture, spec.Channels == ChannelOrder.Rgb ? channel : 2 - channel, place, y - place.Top, x - place.Left)
            : spec.Padding!.Value;
        return spec.Element == TensorElement.UInt8 ? Math.Round(grey) : ((grey / spec.Scale) - spec.Mean[channel]) / spec.Std[channel];
    }

    private static double Bilinear(Picture picture, int colour, (int Left, int Top, int Width, int Height) place, int y, int x)
    {
        var sx = Math.Clamp(((x + 0.5) * picture.Width / place.Width) - 0.5, 0, picture.Width - 1);
        var sy = Math.Clamp(((y + 0.5) * picture.Height / place.Height) - 0.5, 0, picture.Height - 1);
        var (x0, y0) = ((int)sx, (int)sy);
        var (x1, y1) = (Math.Min(x0 + 1, picture.Width - 1), Math.Min(y0 + 1, picture.Height - 1));
        var (fx, fy) = (sx - x0, sy - y0);
        return (Grey(x0, y0) * (1 - fx) * (1 - fy)) + (Grey(x1, y0) * fx * (1 - fy)) + (Grey(x0, y1) * (1 - fx) * fy) + (Grey(x1, y1) * fx * fy);

        double Grey(int column, int row) => picture.Pixels[(row * picture.Stride) + (column * 4) + colour];
    }
}
