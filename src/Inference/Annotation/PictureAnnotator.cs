using System.Buffers;
using System.Globalization;
using Detection.Inference.Pictures;
using SkiaSharp;

namespace Detection.Inference.Annotation;

/// <summary>Draws detections into a picture: boxes in a colour per class, each with its label and score.</summary>
public static class PictureAnnotator
{
    /// <summary>Longest side of the result in pixels; larger pictures are scaled down.</summary>
    public const int LongestSide = 4096;

    private const int JpegQuality = 90;
    private const float SmallestFont = 4;

    private static readonly Lazy<SKTypeface> Typeface = new(LoadTypeface);

    /// <summary>Decodes a picture and writes it, upright and with its boxes, as JPEG.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">What is allowed.</param>
    /// <param name="boxes">The boxes; the highest score is drawn on top.</param>
    /// <param name="output">Gets the JPEG file.</param>
    /// <exception cref="PictureException">The picture cannot be used; nothing was written.</exception>
    public static void Annotate(
        ReadOnlySpan<byte> encoded, PictureLimits limits, IReadOnlyList<LabelledBox> boxes, IBufferWriter<byte> output) =>
        Annotate(encoded, limits, boxes, output, TurboJpeg.IsAvailable);

    /// <summary>Decodes a picture and returns it, upright and with its boxes, as JPEG.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">What is allowed.</param>
    /// <param name="boxes">The boxes; the highest score is drawn on top.</param>
    /// <exception cref="PictureException">The picture cannot be used.</exception>
    public static byte[] Annotate(ReadOnlySpan<byte> encoded, PictureLimits limits, IReadOnlyList<LabelledBox> boxes)
    {
        var output = new ArrayBufferWriter<byte>(Math.Max(encoded.Length, 1024));
        Annotate(encoded, limits, boxes, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The colour of a class, the same in every picture: hues a golden angle apart, so that neighbours differ.</summary>
    public static SKColor Colour(int classId) => SKColor.FromHsl((float)(classId * 137.508 % 360), 90, 55);

    /// <summary>As above, with or without libjpeg-turbo.</summary>
    internal static void Annotate(
        ReadOnlySpan<byte> encoded, PictureLimits limits, IReadOnlyList<LabelledBox> boxes, IBufferWriter<byte> output, bool turbo)
    {
        var header = PictureDecoder.ReadHeader(encoded, limits);
        var scale = Math.Min(1, (float)LongestSide / Math.Max(header.Width, header.Height));
        var width = Math.Max(1, (int)MathF.Round(header.Width * scale));
        var height = Math.Max(1, (int)MathF.Round(header.Height * scale));
        using var decoded = PictureDecoder.Decode(encoded, limits, width, height, turbo);
        if (decoded.Width == width && decoded.Height == height)
        {
            Draw(decoded, boxes, header);
            Encode(decoded, output, turbo);
            return;
        }

        using var scaled = Picture.Create(width, height);
        Scale(decoded, scaled);
        Draw(scaled, boxes, header);
        Encode(scaled, output, turbo);
    }

    private static SKImageInfo Info(Picture picture) => new(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);

    private static unsafe void Scale(Picture from, Picture to)
    {
        fixed (byte* source = from.Pixels, target = to.Pixels)
        {
            using var image = SKImage.FromPixels(Info(from), (nint)source, from.Stride);
            using var pixels = new SKPixmap(Info(to), (nint)target, to.Stride);
            if (!image.ScalePixels(pixels, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear)))
            {
                throw new InvalidOperationException("The picture cannot be scaled.");
            }
        }
    }

    private static unsafe void Draw(Picture picture, IReadOnlyList<LabelledBox> boxes, in PictureHeader original)
    {
        if (boxes.Count == 0)
        {
            return;
        }

        fixed (byte* pixels = picture.Pixels)
        {
            using var surface = SKSurface.Create(Info(picture), (nint)pixels, picture.Stride);
            var canvas = surface.Canvas;
            float across = (float)picture.Width / original.Width;
            float down = (float)picture.Height / original.Height;
            float shorter = Math.Min(picture.Width, picture.Height);
            var line = Math.Max(1, MathF.Round(Math.Max(2, shorter / 240)));
            using var paint = new SKPaint { IsAntialias = true };
            using var font = new SKFont(Typeface.Value) { Subpixel = true };
            var weakestFirst = boxes.OrderBy(box => box.Score).ToArray();
            foreach (var box in weakestFirst)
            {
                var rectangle = new SKRect(box.X1 * across, box.Y1 * down, box.X2 * across, box.Y2 * down);

                // The line stays inside the picture where the box touches its border, and has a dark rim against light grounds.
                if (rectangle.Width > line && rectangle.Height > line)
                {
                    rectangle.Inflate(-line / 2, -line / 2);
                }

                paint.Style = SKPaintStyle.Stroke;
                paint.StrokeWidth = line * 2;
                paint.Color = new SKColor(0, 0, 0, 130);
                canvas.DrawRect(rectangle, paint);
                paint.StrokeWidth = line;
                paint.Color = Colour(box.ClassId);
                canvas.DrawRect(rectangle, paint);
            }

            paint.Style = SKPaintStyle.Fill;
            foreach (var box in weakestFirst)
            {
                font.Size = Math.Max(12, shorter / 32);
                DrawLabel(canvas, picture, box, box.X1 * across, box.Y1 * down, paint, font);
            }

            canvas.Flush();
        }
    }

    private static void DrawLabel(
        SKCanvas canvas, Picture picture, in LabelledBox box, float left, float top, SKPaint paint, SKFont font)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{box.Label} {box.Score:0.00}");
        var margin = font.Size / 4;
        var width = font.MeasureText(text) + (2 * margin);
        var height = font.Spacing + margin;
        var fit = Math.Min(1, Math.Min(picture.Width / width, picture.Height / height));
        if (fit < 1)
        {
            font.Size = Math.Max(SmallestFont, font.Size * fit);
            margin = font.Size / 4;
            width = font.MeasureText(text) + (2 * margin);
            height = font.Spacing + margin;
        }

        // Above the box, or in it where there is no room above.
        var x = Math.Clamp(left, 0, Math.Max(0, picture.Width - width));
        var y = top >= height ? top - height : top;
        y = Math.Clamp(y, 0, Math.Max(0, picture.Height - height));
        var colour = Colour(box.ClassId);
        paint.Color = colour;
        canvas.DrawRect(SKRect.Create(x, y, width, height), paint);
        paint.Color = (0.299 * colour.Red) + (0.587 * colour.Green) + (0.114 * colour.Blue) > 128 ? SKColors.Black : SKColors.White;
        canvas.DrawText(text, x + margin, y + (margin / 2) - font.Metrics.Ascent, SKTextAlign.Left, font, paint);
    }

    private static unsafe void Encode(Picture picture, IBufferWriter<byte> output, bool turbo)
    {
        if (turbo)
        {
            TurboJpeg.Encode(picture, JpegQuality, output);
            return;
        }

        fixed (byte* pixels = picture.Pixels)
        {
            using var pixmap = new SKPixmap(Info(picture), (nint)pixels, picture.Stride);
            using var data = pixmap.Encode(
                new SKJpegEncoderOptions(JpegQuality, SKJpegEncoderDownsample.Downsample444, SKJpegEncoderAlphaOption.Ignore))
                ?? throw new InvalidOperationException("The picture cannot be encoded.");
            output.Write(data.AsSpan());
        }
    }

    private static SKTypeface LoadTypeface()
    {
        const string name = "Detection.Inference.Annotation.Fonts.DejaVuSans.ttf";
        using var stream = typeof(PictureAnnotator).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The font {name} is not embedded.");
        using var data = SKData.Create(stream);
        return SKTypeface.FromData(data) ?? throw new InvalidOperationException($"The font {name} cannot be read.");
    }
}
