using System.Buffers;
using System.Globalization;
using System.Numerics;
using Detection.Inference.Pictures;
using Detection.Objects;
using SkiaSharp;

namespace Detection.Inference.Annotation;

/// <summary>Draws detections into a picture: boxes in a colour per class, each with its label and score.</summary>
public static class PictureAnnotator
{
    /// <summary>Longest side of the result in pixels; larger pictures are scaled down.</summary>
    public const int LongestSide = 4096;

    private const int JpegQuality = 90;
    private const float SmallestFont = 4;

    /// <summary>Decodes a picture and writes it, upright and with its boxes, as JPEG.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">Limits of the picture.</param>
    /// <param name="boxes">What was found; the highest score is drawn on top.</param>
    /// <param name="labels">The labels of the model that found it.</param>
    /// <param name="output">Gets the JPEG file.</param>
    /// <param name="cancellationToken">Cancels the wait for memory.</param>
    /// <exception cref="PictureException">The picture cannot be used; nothing was written.</exception>
    /// <exception cref="TimeoutException">The memory for it did not become free within a minute; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled; nothing was written.</exception>
    public static void Annotate(
        ReadOnlySpan<byte> encoded,
        PictureLimits limits,
        IReadOnlyList<DetectedObject> boxes,
        IReadOnlyList<string> labels,
        IBufferWriter<byte> output,
        CancellationToken cancellationToken = default) =>
        Annotate(encoded, limits, boxes, labels, output, TurboJpeg.IsAvailable, DecodingTurn.Default with { Cancellation = cancellationToken });

    /// <summary>Decodes a picture and returns it, upright and with its boxes, as JPEG.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">Limits of the picture.</param>
    /// <param name="boxes">What was found; the highest score is drawn on top.</param>
    /// <param name="labels">The labels of the model that found it.</param>
    /// <exception cref="PictureException">The picture cannot be used.</exception>
    public static byte[] Annotate(ReadOnlySpan<byte> encoded, PictureLimits limits, IReadOnlyList<DetectedObject> boxes, IReadOnlyList<string> labels)
    {
        var output = new ArrayBufferWriter<byte>(Math.Max(encoded.Length, 1024));
        Annotate(encoded, limits, boxes, labels, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The colour of a class, the same in every picture: hues are a golden angle apart, so that neighbouring classes differ.</summary>
    public static SKColor Colour(int classId) => SKColor.FromHsl((float)(classId * 137.508 % 360), 90, 55);

    /// <summary>
    /// Whether this machine has a font for each character of a label. The embedded font has most alphabets; Chinese, Japanese, Korean and emoji need
    /// a font of the machine. A label that cannot be drawn is drawn as <c>class 7</c>.
    /// </summary>
    public static bool CanDraw(string label) => LabelFonts.CanDraw(label);

    /// <summary>As above, with or without libjpeg-turbo.</summary>
    internal static void Annotate(
        ReadOnlySpan<byte> encoded, PictureLimits limits, IReadOnlyList<DetectedObject> boxes, IReadOnlyList<string> labels, IBufferWriter<byte> output, bool turbo) =>
        Annotate(encoded, limits, boxes, labels, output, turbo, DecodingTurn.Default);

    /// <summary>As above, with or without libjpeg-turbo, with memory of a <see cref="DecodingTurn"/>.</summary>
    internal static void Annotate(
        ReadOnlySpan<byte> encoded,
        PictureLimits limits,
        IReadOnlyList<DetectedObject> boxes,
        IReadOnlyList<string> labels,
        IBufferWriter<byte> output,
        bool turbo,
        in DecodingTurn turn)
    {
        var header = PictureDecoder.ReadHeader(encoded, limits);
        var scale = Math.Min(1, (float)LongestSide / Math.Max(header.Width, header.Height));
        var width = Math.Max(1, (int)MathF.Round(header.Width * scale));
        var height = Math.Max(1, (int)MathF.Round(header.Height * scale));

        // All at once: a thread that has memory must not wait for more. Besides the picture, memory is needed for the scaled picture and the file.
        var drawn = Picture.BytesOf(width, height, 1);
        using var decoded = PictureDecoder.Decode(
            encoded, limits, width, height, turbo, turn with { AdditionalBytes = PixelBuffer.SizeOf(drawn) + (long)BitOperations.RoundUpToPowerOf2((ulong)drawn) });
        if (decoded.Width == width && decoded.Height == height)
        {
            Draw(decoded, boxes, labels, header);
            Encode(decoded, output, turbo);
            return;
        }

        using var scaled = Picture.Create(width, height);
        Scale(decoded, scaled);
        Draw(scaled, boxes, labels, header);
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

    private static unsafe void Draw(Picture picture, IReadOnlyList<DetectedObject> boxes, IReadOnlyList<string> labels, in PictureHeader original)
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
            using var font = new SKFont(LabelFonts.Own) { Subpixel = true };
            var weakestFirst = boxes.OrderBy(box => box.Score).ToArray();
            foreach (var box in weakestFirst)
            {
                var rectangle = new SKRect(box.X1 * across, box.Y1 * down, box.X2 * across, box.Y2 * down);

                // The line stays inside the picture where the box touches its border, and has a dark edge for light backgrounds.
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

            // Boxes with high scores choose their label places first and are drawn last, when there is no room for all.
            var tags = new Stack<Label>(boxes.Count);
            var taken = new List<SKRect>(boxes.Count);
            for (var i = weakestFirst.Length - 1; i >= 0; i--)
            {
                var box = weakestFirst[i];
                var label = Label.For(box, labels, Math.Max(12, shorter / 32), picture, font);
                label = label with { Place = Place(label.Place.Size, new SKRect(box.X1 * across, box.Y1 * down, box.X2 * across, box.Y2 * down), picture, taken) };
                taken.Add(label.Place);
                tags.Push(label);
            }

            paint.Style = SKPaintStyle.Fill;
            foreach (var label in tags)
            {
                label.Draw(canvas, paint, font);
            }

            canvas.Flush();
        }
    }

    /// <summary>The place of a label: at a corner of its box, if possible inside the picture and beside the labels that are already placed.</summary>
    private static SKRect Place(SKSize size, SKRect box, Picture picture, List<SKRect> taken)
    {
        var (lastX, lastY) = (Math.Max(0, picture.Width - size.Width), Math.Max(0, picture.Height - size.Height));
        var left = Math.Clamp(box.Left, 0, lastX);
        var right = Math.Clamp(box.Right - size.Width, 0, lastX);
        ReadOnlySpan<SKPoint> corners =
        [
            new(left, box.Top - size.Height), new(left, box.Top), new(right, box.Top - size.Height),
            new(left, box.Bottom), new(left, box.Bottom - size.Height), new(right, box.Bottom),
        ];
        foreach (var corner in corners)
        {
            var place = SKRect.Create(corner, size);
            if (corner.Y >= 0 && corner.Y <= lastY && !taken.Exists(other => other.IntersectsWith(place)))
            {
                return place;
            }
        }

        return SKRect.Create(left, Math.Clamp(box.Top >= size.Height ? box.Top - size.Height : box.Top, 0, lastY), size.Width, size.Height);
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
            data.AsSpan().CopyTo(output.GetSpan((int)data.Size));
            output.Advance((int)data.Size);
        }
    }

    /// <summary>The name and score of a box on the colour of its class.</summary>
    private readonly record struct Label(string Text, SKColor Colour, float FontSize, SKRect Place)
    {
        /// <summary>A label in the given font size, or smaller if the picture requires it; its place is not chosen yet.</summary>
        public static Label For(in DetectedObject box, IReadOnlyList<string> labels, float fontSize, Picture picture, SKFont font)
        {
            var name = CanDraw(box.LabelIn(labels)) ? box.LabelIn(labels) : string.Create(CultureInfo.InvariantCulture, $"class {box.ClassId}");
            var text = string.Create(CultureInfo.InvariantCulture, $"{name} {box.Score:0.00}");
            var size = SizeOf(text, fontSize, font);
            var fit = Math.Min(picture.Width / size.Width, picture.Height / size.Height);
            if (fit < 1)
            {
                fontSize = Math.Max(SmallestFont, fontSize * fit);
                size = SizeOf(text, fontSize, font);
            }

            return new Label(text, PictureAnnotator.Colour(box.ClassId), fontSize, SKRect.Create(size));
        }

        public void Draw(SKCanvas canvas, SKPaint paint, SKFont font)
        {
            font.Size = FontSize;
            var margin = Margin(FontSize);
            paint.Color = Colour;
            canvas.DrawRect(Place, paint);
            paint.Color = (0.299 * Colour.Red) + (0.587 * Colour.Green) + (0.114 * Colour.Blue) > 128 ? SKColors.Black : SKColors.White;
            var left = Place.Left + margin;
            var baseline = Place.Top + (margin / 2) - font.Metrics.Ascent;
            foreach (var (piece, typeface) in LabelFonts.Pieces(Text))
            {
                font.Typeface = typeface;
                canvas.DrawText(piece, left, baseline, SKTextAlign.Left, font, paint);
                left += font.MeasureText(piece);
            }

            font.Typeface = LabelFonts.Own;
        }

        private static SKSize SizeOf(string text, float fontSize, SKFont font)
        {
            font.Size = fontSize;
            var height = font.Spacing + Margin(fontSize);
            var width = 2 * Margin(fontSize);
            foreach (var (piece, typeface) in LabelFonts.Pieces(text))
            {
                font.Typeface = typeface;
                width += font.MeasureText(piece);
            }

            font.Typeface = LabelFonts.Own;
            return new SKSize(width, height);
        }

        private static float Margin(float fontSize) => fontSize / 4;
    }
}
