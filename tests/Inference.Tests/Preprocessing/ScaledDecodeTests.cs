using System.Runtime.InteropServices;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Detection.Inference.Tests.Pictures;
using SkiaSharp;

namespace Detection.Inference.Tests.Preprocessing;

/// <summary>A picture decoded at a reduced scale is at the same place of the input as the whole one.</summary>
public sealed class ScaledDecodeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void The_input_stays_the_same(int orientation)
    {
        // Sizes that are no multiples of 8; waves so long that scaling loses nothing, and so steep that a shift by a pixel is visible.
        using var waves = Waves(1001, 801);
        var encoded = Samples.WithOrientation(Samples.Encode(waves, SKEncodedImageFormat.Jpeg, 98), orientation);
        var spec = new InputSpec { Width = 96, Height = 96, Scale = 1 };
        foreach (var turbo in new[] { false, TurboJpeg.IsAvailable })
        {
            using var whole = PictureDecoder.Decode(encoded, new PictureLimits(), 0, 0, turbo);
            using var scaled = PictureDecoder.Decode(encoded, new PictureLimits(), 96, 96, turbo);
            Assert.Equal((1, 8), (whole.Reduction, scaled.Reduction));
            var expected = new byte[spec.ByteLength];
            var actual = new byte[spec.ByteLength];
            Assert.Equal(Preprocessor.Write(whole, spec, expected), Preprocessor.Write(scaled, spec, actual));
            var a = MemoryMarshal.Cast<byte, float>(actual);
            var e = MemoryMarshal.Cast<byte, float>(expected);
            var worst = 0f;
            for (var y = 1; y < 95; y++)
            {
                for (var x = 1; x < 95; x++)
                {
                    worst = Math.Max(worst, Math.Abs(a[(y * 96) + x] - e[(y * 96) + x]));
                }
            }

            Assert.InRange(worst, 0, 5);
        }
    }

    private static SKBitmap Waves(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
        for (var i = 0; i < pixels.Length; i++)
        {
            var grey = (uint)(127 + (60 * Math.Sin(i % width * Math.Tau / 170)) + (60 * Math.Sin(i / width * Math.Tau / 170)));
            pixels[i] = 0xFF000000 | (grey * 0x010101);
        }

        return bitmap;
    }
}
