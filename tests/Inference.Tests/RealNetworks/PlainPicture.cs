using SkiaSharp;

namespace Detection.Inference.Tests.RealNetworks;

/// <summary>A photo that is fed to a network without any code of the product, in double precision.</summary>
internal sealed class PlainPicture
{
    private readonly byte[] _pixels;

    public PlainPicture(byte[] file)
    {
        using var bitmap = SKBitmap.Decode(file).Copy(SKColorType.Rgba8888);
        (Width, Height, _pixels) = (bitmap.Width, bitmap.Height, bitmap.Bytes);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Values of planes, one for each channel, and where the picture is.</summary>
    public (float[] Values, Place Place) Planes(Feed feed)
    {
        var (pixels, place) = Pixels(feed);
        var area = feed.Size * feed.Size;
        var values = new float[3 * area];
        for (var i = 0; i < area; i++)
        {
            for (var c = 0; c < 3; c++)
            {
                values[(c * area) + i] = (float)(((pixels[(3 * i) + (feed.Bgr ? 2 - c : c)] / feed.Scale) - feed.Mean[c]) / feed.Std[c]);
            }
        }

        return (values, place);
    }

    /// <summary>Channel values of a square of <see cref="Feed.Size"/>, R, G and B of each pixel.</summary>
    public (double[] Values, Place Place) Pixels(Feed feed)
    {
        var ratio = Math.Min((double)feed.Size / Width, (double)feed.Size / Height);
        var (width, height) = feed.Fit switch
        {
            Fit.Stretched => (feed.Size, feed.Size),
            Fit.Centred => ((int)Math.Round(Width * ratio), (int)Math.Round(Height * ratio)), // Ultralytics
            _ => ((int)((Width * ratio) + 1e-9), (int)((Height * ratio) + 1e-9)), // Megvii
        };
        var (left, top) = feed.Fit == Fit.Centred ? ((feed.Size - width) / 2, (feed.Size - height) / 2) : (0, 0);
        var values = new double[3 * feed.Size * feed.Size];
        Array.Fill(values, feed.Around);
        for (var y = 0; y < height; y++)
        {
            var (upper, lower, down) = Between(y, height, Height);
            for (var x = 0; x < width; x++)
            {
                var (one, other, across) = Between(x, width, Width);
                for (var c = 0; c < 3; c++)
                {
                    var above = (At(one, upper, c) * (1 - across)) + (At(other, upper, c) * across);
                    var below = (At(one, lower, c) * (1 - across)) + (At(other, lower, c) * across);
                    values[(3 * (((top + y) * feed.Size) + left + x)) + c] = (above * (1 - down)) + (below * down);
                }
            }
        }

        return (values, new Place((double)width / Width, (double)height / Height, left, top, Width, Height));
    }

    /// <summary>The two source pixels around the centre of a target pixel, and the weight of the second.</summary>
    private static (int First, int Second, double Weight) Between(int target, int targets, int sources)
    {
        var centre = Math.Clamp(((target + 0.5) * sources / targets) - 0.5, 0, sources - 1);
        return ((int)centre, Math.Min((int)centre + 1, sources - 1), centre - (int)centre);
    }

    private double At(int x, int y, int channel) => _pixels[(4 * ((y * Width) + x)) + channel];
}

/// <summary>How a picture is put into the square that a network takes.</summary>
internal enum Fit
{
    Stretched,
    Centred,
    TopLeft,
}

/// <summary>What a network takes. A value is (value / Scale − Mean) / Std, in the order of its channels.</summary>
internal sealed record Feed(int Size, Fit Fit, bool Bgr, double Scale, double[] Mean, double[] Std, double Around = 114)
{
    private static readonly double[] Zeros = [0, 0, 0];
    private static readonly double[] Ones = [1, 1, 1];

    public static Feed Plain(int size, Fit fit, bool bgr, double scale, double around = 114) => new(size, fit, bgr, scale, Zeros, Ones, around);
}

/// <summary>Where a picture is in the square: input = picture × Scale + offset.</summary>
internal sealed record Place(double ScaleX, double ScaleY, double Left, double Top, int Width, int Height)
{
    public PlainBox ToPicture(PlainBox box) => box with
    {
        X1 = Math.Clamp((box.X1 - Left) / ScaleX, 0, Width),
        Y1 = Math.Clamp((box.Y1 - Top) / ScaleY, 0, Height),
        X2 = Math.Clamp((box.X2 - Left) / ScaleX, 0, Width),
        Y2 = Math.Clamp((box.Y2 - Top) / ScaleY, 0, Height),
    };
}

/// <summary>A box with its class and score.</summary>
internal sealed record PlainBox(int Class, double Score, double X1, double Y1, double X2, double Y2)
{
    public double Overlap(PlainBox other)
    {
        var common = Math.Max(0, Math.Min(X2, other.X2) - Math.Max(X1, other.X1)) * Math.Max(0, Math.Min(Y2, other.Y2) - Math.Max(Y1, other.Y1));
        return common / (((X2 - X1) * (Y2 - Y1)) + ((other.X2 - other.X1) * (other.Y2 - other.Y1)) - common);
    }
}
