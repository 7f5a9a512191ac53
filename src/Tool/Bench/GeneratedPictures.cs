using SkiaSharp;

namespace Detection.Tool.Bench;

/// <summary>Pictures to measure a model without photos.</summary>
internal static class GeneratedPictures
{
    /// <summary>Width in pixels.</summary>
    public const int Width = 640;

    /// <summary>Height in pixels.</summary>
    public const int Height = 480;

    private const int Count = 16;
    private const int Quality = 90;

    /// <summary>JPEG files with smooth shapes, about as expensive to decode as photos, the same in every run.</summary>
    public static byte[][] Create()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Count).Select(_ => Create(random))];
    }

    private static byte[] Create(Random random)
    {
        using var surface = SKSurface.Create(new SKImageInfo(Width, Height));
        using var paint = new SKPaint { IsAntialias = true };
        surface.Canvas.Clear(Colour(random));
        for (var shape = 0; shape < 300; shape++)
        {
            paint.Color = Colour(random);
            var centre = new SKPoint(random.Next(Width), random.Next(Height));
            surface.Canvas.DrawOval(centre, new SKSize(random.Next(2, 60), random.Next(2, 60)), paint);
        }

        using var image = surface.Snapshot();
        using var jpeg = image.Encode(SKEncodedImageFormat.Jpeg, Quality);
        return jpeg.ToArray();
    }

    private static SKColor Colour(Random random) => new((uint)random.Next() | 0x80_000000);
}
