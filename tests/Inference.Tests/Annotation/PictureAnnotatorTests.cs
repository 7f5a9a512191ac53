using System.Buffers;
using Detection.Inference.Annotation;
using Detection.Inference.Pictures;
using Detection.Inference.Tests.Pictures;
using Detection.Objects;
using SkiaSharp;

namespace Detection.Inference.Tests.Annotation;

public sealed class PictureAnnotatorTests
{
    private static readonly PictureLimits Limits = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Box_is_drawn_at_its_place_and_nothing_else_changes(bool turbo)
    {
        Assert.SkipWhen(turbo && !TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        using var result = Annotate(Plain(640, 480, SKColors.Gray), turbo, Named("person"), new DetectedObject(3, 0.87f, 200, 150, 400, 300));
        Assert.Equal((640, 480), (result.Width, result.Height));
        var colour = PictureAnnotator.Colour(3);
        AssertNear(colour, result, 201, 220, 60);
        AssertNear(colour, result, 399, 220, 60);
        AssertNear(colour, result, 300, 151, 60);
        AssertNear(colour, result, 300, 299, 60);
        AssertNear(SKColors.Gray, result, 300, 220, 4);
        AssertNear(SKColors.Gray, result, 500, 220, 4);
        AssertNear(SKColors.Gray, result, 300, 320, 4);
    }

    [Theory]
    [InlineData(200, 150)]
    [InlineData(0, 0)]
    [InlineData(600, 0)]
    [InlineData(600, 450)]
    public void Label_has_text_and_is_inside_the_picture(int x, int y)
    {
        using var with = Annotate(Plain(640, 480, SKColors.Gray), false, Named("person"), new DetectedObject(3, 0.87f, x, y, x + 40, y + 30));
        using var without = Annotate(Plain(640, 480, SKColors.Gray), false, Named(string.Empty), new DetectedObject(3, 0.87f, x, y, x + 40, y + 30));
        var changed = Changed(with, without);
        Assert.True(changed.Width >= 40, $"The name of the class takes {changed.Width} pixels.");

        // The background of the label is complete: the colour of the class goes from its left edge to its right one.
        var colour = PictureAnnotator.Colour(3);
        var row = Enumerable.Range(changed.Top, changed.Height)
            .Max(line => Enumerable.Range(0, 640).Count(column => Near(colour, with, column, line, 60)));
        Assert.True(row > 40, $"{row} pixels of the label's colour in its best row.");
        var dark = 0;
        for (var line = changed.Top; line < changed.Bottom; line++)
        {
            for (var column = changed.Left; column < changed.Right; column++)
            {
                dark += Near(SKColors.Black, with, column, line, 90) ? 1 : 0;
            }
        }

        Assert.True(dark > 30, $"{dark} dark pixels are no text.");
    }

    [Theory]
    [InlineData("person", true)]
    [InlineData("человек", true)]
    [InlineData("cat \uFE0F", true)]
    [InlineData("cat \uFDD0", false)] // not a character: no font has it
    [InlineData("\U0001FFFE", false)]
    public void A_label_without_a_font_is_drawn_as_its_class(string label, bool drawn)
    {
        Assert.Equal(drawn, PictureAnnotator.CanDraw(label));
        using var named = Annotate(Plain(640, 480, SKColors.Gray), false, Named(label), new DetectedObject(7, 0.87f, 100, 100, 300, 300));
        using var numbered = Annotate(Plain(640, 480, SKColors.Gray), false, Named("class 7"), new DetectedObject(7, 0.87f, 100, 100, 300, 300));
        Assert.Equal(!drawn, named.Bytes.AsSpan().SequenceEqual(numbered.Bytes));
    }

    [Theory]
    [InlineData("猫")]
    [InlineData("🐈")]
    public void A_label_in_other_characters_is_drawn_with_a_font_of_the_machine(string label)
    {
        Assert.SkipUnless(PictureAnnotator.CanDraw(label), $"This machine has no font for '{label}'.");
        using var named = Annotate(Plain(640, 480, SKColors.Gray), false, Named(label), new DetectedObject(7, 0.87f, 100, 100, 300, 300));
        using var empty = Annotate(Plain(640, 480, SKColors.Gray), false, Named("\u2003"), new DetectedObject(7, 0.87f, 100, 100, 300, 300));
        Assert.False(named.Bytes.AsSpan().SequenceEqual(empty.Bytes));
    }

    [Fact]
    public void A_label_does_not_hide_another()
    {
        DetectedObject best = new(3, 0.9f, 50, 5, 400, 460);
        using var with = Annotate(Plain(640, 480, SKColors.Gray), false, Named("person"), best, new DetectedObject(1, 0.3f, 50, 5, 400, 300));
        using var without = Annotate(Plain(640, 480, SKColors.Gray), false, [string.Empty, .. Named("person")], best, new DetectedObject(0, 0.3f, 50, 5, 400, 300));
        Assert.True(Changed(with, without).Width >= 40, "The name of the weaker box is not to be seen.");
    }

    [Fact]
    public void Text_is_readable_on_the_colour_of_every_class()
    {
        for (var id = 0; id < 90; id++)
        {
            var colour = PictureAnnotator.Colour(id);
            var ground = Luminance(colour);
            var text = (0.299 * colour.Red) + (0.587 * colour.Green) + (0.114 * colour.Blue) > 128 ? 1.0 : 0.0;
            var contrast = text > 0 ? (ground + 0.05) / 0.05 : 1.05 / (ground + 0.05);
            Assert.True(contrast >= 3, $"Class {id}: {contrast}");
        }

        for (var id = 1; id < 20; id++)
        {
            var (a, b) = (PictureAnnotator.Colour(id - 1), PictureAnnotator.Colour(id));
            Assert.True(Math.Abs(a.Red - b.Red) + Math.Abs(a.Green - b.Green) + Math.Abs(a.Blue - b.Blue) > 150, $"Class {id}");
        }
    }

    [Fact]
    public void Orientation_is_obeyed()
    {
        using var stored = Samples.Quadrants(480, 640);
        var encoded = Samples.WithOrientation(Samples.Encode(stored, PictureFormat.Jpeg), 6);
        using var result = Annotate(encoded, TurboJpeg.IsAvailable, Named("x"), new DetectedObject(0, 1, 500, 300, 600, 400));
        Assert.Equal((640, 480), (result.Width, result.Height));

        // Turned to the right, the blue quadrant at the lower left moves to the upper left.
        AssertNear(SKColors.Blue, result, 10, 10, 12);
        AssertNear(PictureAnnotator.Colour(0), result, 501, 350, 60);
    }

    [Theory]
    [InlineData(5000, 2500, 4096, 2048)]
    [InlineData(9000, 1200, 4096, 546)]
    public void Large_pictures_are_scaled_down_with_their_boxes(int width, int height, int newWidth, int newHeight)
    {
        var box = new DetectedObject(5, 0.5f, width / 2, height / 2, width * 3 / 4, height * 3 / 4);
        using var result = Annotate(Plain(width, height, SKColors.Gray), TurboJpeg.IsAvailable, Named("bus"), box);
        Assert.Equal((newWidth, newHeight), (result.Width, result.Height));
        AssertNear(PictureAnnotator.Colour(5), result, (newWidth / 2) + 1, newHeight * 7 / 10, 60);
        AssertNear(SKColors.Gray, result, newWidth * 5 / 8, newHeight * 7 / 10, 5);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 5)]
    [InlineData(300, 2)]
    public void Tiny_pictures_can_be_annotated(int width, int height)
    {
        using var result = Annotate(
            Plain(width, height, SKColors.Gray), TurboJpeg.IsAvailable, Named("traffic light"), new DetectedObject(5, 0.5f, 0, 0, width, height));
        Assert.Equal((width, height), (result.Width, result.Height));
    }

    [Fact]
    public void Annotate_without_boxes_returns_the_picture()
    {
        using var scene = Samples.Scene(120, 90);
        using var result = Annotate(Samples.Encode(scene, PictureFormat.Png), TurboJpeg.IsAvailable, []);
        double difference = 0;
        for (var i = 0; i < 120 * 90; i++)
        {
            difference += Math.Abs(scene.GetPixel(i % 120, i / 120).Green - result.GetPixel(i % 120, i / 120).Green);
        }

        Assert.InRange(difference / (120 * 90), 0, 4);
    }

    [Fact]
    public void The_best_box_is_on_top()
    {
        DetectedObject[] boxes = [new(1, 0.9f, 100, 100, 300, 300), new(2, 0.3f, 100, 100, 300, 300)];
        using var result = Annotate(Plain(640, 480, SKColors.Gray), false, ["", "a", "b"], boxes);
        AssertNear(PictureAnnotator.Colour(1), result, 101, 200, 60);
    }

    [Fact]
    public void Pictures_can_be_annotated_at_the_same_time()
    {
        var encoded = Samples.Jpeg(320, 240);
        DetectedObject[] boxes = [new(1, 0.9f, 10, 100, 200, 200)];
        var expected = PictureAnnotator.Annotate(encoded, Limits, boxes, Named("person"));
        Parallel.For(0, 64, _ => Assert.Equal(expected, PictureAnnotator.Annotate(encoded, Limits, boxes, Named("person"))));
    }

    /// <summary>Labels with the same name for every class.</summary>
    private static string[] Named(string label) => [.. Enumerable.Repeat(label, 8)];

    private static byte[] Plain(int width, int height, SKColor colour)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        bitmap.Erase(colour);
        return Samples.Encode(bitmap, PictureFormat.Jpeg);
    }

    private static SKBitmap Annotate(byte[] encoded, bool turbo, string[] labels, params DetectedObject[] boxes)
    {
        var output = new ArrayBufferWriter<byte>();
        PictureAnnotator.Annotate(encoded, Limits, boxes, labels, output, turbo);
        var result = output.WrittenSpan.ToArray();
        Assert.Equal(PictureFormat.Jpeg, PictureDecoder.ReadHeader(result, Limits).Format);
        return SKBitmap.Decode(result);
    }

    private static SKRectI Changed(SKBitmap a, SKBitmap b)
    {
        var changed = SKRectI.Empty;
        for (var y = 0; y < a.Height; y++)
        {
            for (var x = 0; x < a.Width; x++)
            {
                if (!Near(a.GetPixel(x, y), b, x, y, 60))
                {
                    var pixel = new SKRectI(x, y, x + 1, y + 1);
                    changed = changed.IsEmpty ? pixel : SKRectI.Union(changed, pixel);
                }
            }
        }

        return changed;
    }

    private static bool Near(SKColor expected, SKBitmap picture, int x, int y, int tolerance)
    {
        var actual = picture.GetPixel(x, y);
        return Math.Abs(expected.Red - actual.Red) <= tolerance
            && Math.Abs(expected.Green - actual.Green) <= tolerance
            && Math.Abs(expected.Blue - actual.Blue) <= tolerance;
    }

    private static void AssertNear(SKColor expected, SKBitmap picture, int x, int y, int tolerance) =>
        Assert.True(Near(expected, picture, x, y, tolerance), $"({x}, {y}) is {picture.GetPixel(x, y)}, not {expected}");

    // WCAG 2: relative luminance.
    private static double Luminance(SKColor colour)
    {
        return (0.2126 * Linear(colour.Red)) + (0.7152 * Linear(colour.Green)) + (0.0722 * Linear(colour.Blue));

        static double Linear(byte value) => value / 255.0 <= 0.04045 ? value / 255.0 / 12.92 : Math.Pow(((value / 255.0) + 0.055) / 1.055, 2.4);
    }
}
