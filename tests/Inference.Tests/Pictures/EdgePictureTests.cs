using Detection.Inference.Pictures;
using Detection.Objects;

namespace Detection.Inference.Tests.Pictures;

/// <summary>The files of <c>tests/pictures/edge</c>, as described in its README.</summary>
public sealed class EdgePictureTests
{
    private static readonly PictureLimits Limits = new();

    [Theory]
    [InlineData("picture.bmp", 0.01, 1)]
    [InlineData("lossless.webp", 0.01, 1)]
    [InlineData("sixteen-bit.png", 1, 1)]
    [InlineData("png-named.jpg", 0.01, 1)]
    [InlineData("baseline.jpg", 4, 255)]
    [InlineData("progressive.jpg", 4, 255)]
    [InlineData("lossy.webp", 4, 255)]
    [InlineData("cmyk.jpg", 4, 255)]
    [InlineData("palette.png", 6, 255)]
    [InlineData("still.gif", 6, 255)]
    [InlineData("animated.gif", 6, 255)]
    [InlineData("animated.webp", 6, 255)]
    [InlineData("orientation-1.jpg", 4, 255)]
    [InlineData("orientation-2.jpg", 4, 255)]
    [InlineData("orientation-3.jpg", 4, 255)]
    [InlineData("orientation-4.jpg", 4, 255)]
    [InlineData("orientation-5.jpg", 4, 255)]
    [InlineData("orientation-6.jpg", 4, 255)]
    [InlineData("orientation-7.jpg", 4, 255)]
    [InlineData("orientation-8.jpg", 4, 255)]
    [InlineData("orientation-9.jpg", 4, 255)]
    public void Good_files_show_the_same_picture(string name, double mean, int worst)
    {
        using var expected = Decode("upright.png", false);
        foreach (var turbo in new[] { false, TurboJpeg.IsAvailable })
        {
            using var actual = Decode(name, turbo);
            Assert.Equal((160, 112), (actual.OriginalWidth, actual.OriginalHeight));
            AssertSame(expected, actual, mean, worst);
        }
    }

    [Fact]
    public void A_grey_file_shows_the_grey_version()
    {
        using var expected = Grey("upright.png");
        foreach (var turbo in new[] { false, TurboJpeg.IsAvailable })
        {
            using var actual = Decode("grey.jpg", turbo);
            AssertSame(expected, actual, 4, 255);
            AssertGrey(actual);
        }
    }

    [Fact]
    public void A_black_and_white_file_is_as_bright_in_all_its_parts()
    {
        using var expected = Grey("upright.png");
        using var actual = Decode("one-bit.png", false);
        AssertGrey(actual);

        // It is dithered, so only averages are equal.
        for (var top = 0; top < 112; top += 28)
        {
            for (var left = 0; left < 160; left += 40)
            {
                Assert.InRange(Average(actual, left, top) - Average(expected, left, top), -12, 12);
            }
        }

        static double Average(Picture picture, int left, int top)
        {
            double sum = 0;
            for (var y = top; y < top + 28; y++)
            {
                for (var x = left; x < left + 40; x++)
                {
                    sum += picture.Pixels[(y * picture.Stride) + (x * 4)];
                }
            }

            return sum / (28 * 40);
        }
    }

    [Theory]
    [InlineData("alpha.png", 1)]
    [InlineData("alpha.webp", 6)]
    [InlineData("grey-alpha.png", 1)]
    public void Transparent_files_get_a_white_background(string name, int tolerance)
    {
        using var picture = Decode(name, false);
        PictureDecoderTests.AssertColour(picture, 0, 0, 255, 255, 255, 0);
        PictureDecoderTests.AssertColour(picture, 39, 111, 255, 255, 255, tolerance);
        using var upright = Decode("upright.png", false);
        var middle = upright.Pixels.Slice((50 * upright.Stride) + (120 * 4), 3);
        if (name.StartsWith("alpha", StringComparison.Ordinal))
        {
            PictureDecoderTests.AssertColour(picture, 120, 50, middle[0], middle[1], middle[2], name == "alpha.webp" ? 30 : 1);
        }
    }

    [Theory]
    [InlineData("one-pixel.png", 1, 1)]
    [InlineData("wide.png", 2000, 1)]
    public void Extreme_sizes_are_read(string name, int width, int height)
    {
        using var picture = Decode(name, false);
        Assert.Equal((width, height), (picture.Width, picture.Height));
    }

    [Theory]
    [InlineData("text.jpg", FailureReason.NotAPicture)]
    [InlineData("empty.jpg", FailureReason.NotAPicture)]
    [InlineData("unsupported.tiff", FailureReason.Unsupported)]
    [InlineData("truncated.jpg", FailureReason.Undecodable)]
    [InlineData("truncated.png", FailureReason.Undecodable)]
    [InlineData("header-only.jpg", FailureReason.Undecodable)]
    [InlineData("corrupt.png", FailureReason.Undecodable)]
    [InlineData("huge.png", FailureReason.TooLarge)]
    [InlineData("huge.bmp", FailureReason.TooLarge)]
    [InlineData("huge.jpg", FailureReason.TooLarge)]
    [InlineData("huge.gif", FailureReason.TooLarge)]
    [InlineData("huge.webp", FailureReason.TooLarge)]
    public void Bad_files_are_refused(string name, FailureReason fault)
    {
        foreach (var turbo in new[] { false, TurboJpeg.IsAvailable })
        {
            var exception = Assert.Throws<PictureException>(() => Decode(name, turbo).Dispose());
            Assert.Equal(fault, exception.Reason);
        }
    }

    private static Picture Decode(string name, bool turbo) =>
        PictureDecoder.Decode(File.ReadAllBytes(TestPictures.Path($"edge/{name}")), Limits, 0, 0, turbo);

    private static Picture Grey(string name)
    {
        var picture = Decode(name, false);
        for (var i = 0; i < picture.Pixels.Length; i += 4)
        {
            var pixel = picture.Pixels.Slice(i, 4);
            pixel[..3].Fill((byte)((0.299 * pixel[0]) + (0.587 * pixel[1]) + (0.114 * pixel[2]) + 0.5));
        }

        return picture;
    }

    private static void AssertGrey(Picture picture)
    {
        for (var i = 0; i < picture.Pixels.Length; i += 4)
        {
            Assert.True(picture.Pixels[i] == picture.Pixels[i + 1] && picture.Pixels[i] == picture.Pixels[i + 2], "Not grey.");
        }
    }

    private static void AssertSame(Picture expected, Picture actual, double mean, int worst)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        double sum = 0;
        var most = 0;
        for (var i = 0; i < expected.Pixels.Length; i++)
        {
            var difference = Math.Abs(expected.Pixels[i] - actual.Pixels[i]);
            sum += difference;
            most = Math.Max(most, difference);
        }

        // A quarter of the bytes, the fourth of each pixel, is always the same.
        Assert.InRange(sum / (expected.Width * expected.Height * 3), 0, mean);
        Assert.InRange(most, 0, worst);
    }
}
