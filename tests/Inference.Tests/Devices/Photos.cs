using SkiaSharp;

namespace Detection.Inference.Tests.Devices;

/// <summary>Photos of the repository.</summary>
internal static class Photos
{
    private static readonly string[] Names =
        ["walkers.webp", "tourist.webp", "rocket.jpg", "mill-workers.webp", "cat.png", "staircase.webp", "birds.webp", "lake.webp"];

    private static readonly byte[][] Bytes = [.. Names.Select(name => File.ReadAllBytes(TestPictures.Path(name)))];

    /// <summary>A photo by its number, modulo their count.</summary>
    public static byte[] Get(int number) => Bytes[number % Bytes.Length];

    /// <summary>A photo in another size, as PNG.</summary>
    public static byte[] Get(int number, int width, int height)
    {
        using var photo = SKBitmap.Decode(Get(number));
        using var resized = photo.Resize(new SKImageInfo(width, height), SKSamplingOptions.Default);
        using var png = resized.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }
}
