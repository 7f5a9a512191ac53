using SkiaSharp;

namespace Detection.Inference.Pictures;

/// <summary>A picture of noise, the same each time, in which there is nothing to find.</summary>
public static class NoisePicture
{
    private static readonly Lazy<byte[]> Encoded = new(Draw);

    /// <summary>The picture as a PNG of 104×78.</summary>
    public static ReadOnlyMemory<byte> Bytes => Encoded.Value;

    private static byte[] Draw()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(104, 78, SKColorType.Rgba8888, SKAlphaType.Opaque));
        new Random(1).NextBytes(bitmap.GetPixelSpan());
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return encoded.ToArray();
    }
}
