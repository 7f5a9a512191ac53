using System.Buffers.Binary;
using System.IO.Compression;
using Detection.Inference.Pictures;
using Detection.Objects;
using SkiaSharp;

namespace Detection.Inference.Tests.Pictures;

public sealed class PictureDecoderTests
{
    private static readonly PictureLimits Limits = new();

    public static TheoryData<PictureFormat> Formats() => new(Enum.GetValues<PictureFormat>());

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_format_gives_its_pixels(PictureFormat format)
    {
        using var scene = Samples.Quadrants(64, 48);
        var encoded = Samples.Encode(scene, format);
        Assert.Equal(new PictureHeader(format, 64, 48), PictureDecoder.ReadHeader(encoded, Limits));
        using var picture = PictureDecoder.Decode(encoded, Limits);
        Assert.Equal((64, 48, 64, 48, 256), (picture.Width, picture.Height, picture.OriginalWidth, picture.OriginalHeight, picture.Stride));
        Assert.Equal(256 * 48, picture.Pixels.Length);
        AssertColour(picture, 8, 8, 255, 0, 0);
        AssertColour(picture, 56, 8, 0, 255, 0);
        AssertColour(picture, 8, 40, 0, 0, 255);
        AssertColour(picture, 56, 40, 255, 255, 255);
    }

    [Theory]
    [MemberData(nameof(OrientationsAndCodecs))]
    public void Orientation_is_obeyed(int orientation, bool bigEndian, bool turbo)
    {
        Assert.SkipWhen(turbo && !TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");

        // The stored picture, so that the upright picture is red, green / blue, white.
        using var upright = Samples.Quadrants(64, 48);
        using var stored = Store(upright, orientation);
        var encoded = Samples.WithOrientation(Samples.Encode(stored, SKEncodedImageFormat.Jpeg), orientation, bigEndian);
        Assert.Equal(new PictureHeader(PictureFormat.Jpeg, 64, 48), PictureDecoder.ReadHeader(encoded, Limits));
        foreach (var (minWidth, minHeight, reduction) in new[] { (0, 0, 1), (32, 24, 2), (32, 25, 1), (33, 24, 1), (16, 12, 4) })
        {
            using var picture = PictureDecoder.Decode(encoded, Limits, minWidth, minHeight, turbo);
            Assert.Equal(reduction, picture.Reduction);
            Assert.Equal((64 / reduction, 48 / reduction), (picture.Width, picture.Height));
            Assert.Equal((64, 48), (picture.OriginalWidth, picture.OriginalHeight));
            AssertColour(picture, 8 / reduction, 8 / reduction, 255, 0, 0);
            AssertColour(picture, 56 / reduction, 8 / reduction, 0, 255, 0);
            AssertColour(picture, 8 / reduction, 40 / reduction, 0, 0, 255);
            AssertColour(picture, 56 / reduction, 40 / reduction, 255, 255, 255);
        }
    }

    public static TheoryData<int, bool, bool> OrientationsAndCodecs()
    {
        var all = new TheoryData<int, bool, bool>();
        for (var orientation = 1; orientation <= 8; orientation++)
        {
            all.Add(orientation, false, true);
            all.Add(orientation, true, false);
        }

        return all;
    }

    [Fact]
    public void Both_codecs_give_the_same_pixels()
    {
        Assert.SkipUnless(TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        foreach (var (width, height) in new[] { (640, 480), (333, 217), (1, 1), (17, 33) })
        {
            var encoded = Samples.Jpeg(width, height);
            foreach (var min in new[] { 0, 20 })
            {
                using var turbo = PictureDecoder.Decode(encoded, Limits, min, min, true);
                using var skia = PictureDecoder.Decode(encoded, Limits, min, min, false);
                Assert.Equal((skia.Width, skia.Height, skia.Reduction), (turbo.Width, turbo.Height, turbo.Reduction));
                var worst = 0;
                for (var i = 0; i < skia.Pixels.Length; i++)
                {
                    worst = Math.Max(worst, Math.Abs(skia.Pixels[i] - turbo.Pixels[i]));
                }

                Assert.InRange(worst, 0, 2);
            }
        }
    }

    [Theory]
    [InlineData(1600, 1200, 400, 300, 4)]
    [InlineData(1600, 1200, 401, 300, 2)]
    [InlineData(1601, 1203, 400, 300, 4)]
    [InlineData(1600, 1200, 100, 100, 8)]
    [InlineData(1600, 1200, 1000, 100, 1)]
    [InlineData(1600, 1200, 400, 0, 1)]
    public void Large_pictures_are_decoded_smaller_but_never_too_small(int width, int height, int minWidth, int minHeight, int reduction)
    {
        var encoded = Samples.Jpeg(width, height);
        using var picture = PictureDecoder.Decode(encoded, Limits, minWidth, minHeight);
        Assert.Equal(reduction, picture.Reduction);
        Assert.True(picture.Width >= minWidth && picture.Height >= minHeight, "Too small.");
        Assert.Equal((width, height), (picture.OriginalWidth, picture.OriginalHeight));
    }

    [Fact]
    public void Transparent_pictures_get_a_white_background()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(21, 3, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Erase(new SKColor(200, 0, 100, 0));
        bitmap.SetPixel(1, 1, new SKColor(200, 0, 100, 255));
        bitmap.SetPixel(20, 2, new SKColor(200, 0, 100, 128));
        using var picture = PictureDecoder.Decode(Samples.Encode(bitmap, SKEncodedImageFormat.Png), Limits);
        AssertColour(picture, 0, 0, 255, 255, 255, 0);
        AssertColour(picture, 1, 1, 200, 0, 100, 0);
        AssertColour(picture, 20, 2, 227, 127, 177, 1);
    }

    [Fact]
    public void Grey_palette_and_deep_pictures_become_colour()
    {
        // Colour type and depth of PNG: grey 1, 8, 16 bits; colour 16; palette; grey with alpha.
        AssertColour(Png(4, 4, 1, 0, [0b10100000]), 0, 0, 255, 255, 255, 0);
        AssertColour(Png(4, 4, 8, 0, [77, 77, 77, 77]), 3, 3, 77, 77, 77, 0);
        AssertColour(Png(2, 2, 16, 0, [77, 0, 77, 0]), 1, 1, 77, 77, 77, 1);
        AssertColour(Png(1, 1, 16, 2, [10, 0, 20, 0, 30, 0]), 0, 0, 10, 20, 30, 1);
        AssertColour(Png(2, 1, 8, 3, [1, 0], [5, 6, 7, 200, 100, 50]), 0, 0, 200, 100, 50, 0);
        AssertColour(Png(1, 1, 8, 4, [0, 0]), 0, 0, 255, 255, 255, 0);

        using var scene = Samples.Scene(40, 30);
        using var grey = new SKBitmap(new SKImageInfo(40, 30, SKColorType.Gray8, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(grey))
        {
            canvas.DrawBitmap(scene, 0, 0, SKSamplingOptions.Default);
        }

        foreach (var turbo in new[] { TurboJpeg.IsAvailable, false })
        {
            using var picture = PictureDecoder.Decode(Samples.Encode(grey, SKEncodedImageFormat.Jpeg, 100), Limits, 0, 0, turbo);
            var expected = grey.GetPixel(20, 15).Red;
            AssertColour(picture, 20, 15, expected, expected, expected, 3);
        }
    }

    [Fact]
    public void Huge_pictures_are_refused_by_their_header_alone()
    {
        var encoded = PngFile(30_000, 30_000, 8, 6, [], [0, 0, 0, 0]);
        Fails(FailureReason.TooLarge, encoded);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Fails(FailureReason.TooLarge, encoded);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Limits_are_obeyed_exactly()
    {
        var encoded = Samples.Jpeg(100, 50);
        using (PictureDecoder.Decode(encoded, new PictureLimits(encoded.Length, 5000)))
        {
        }

        Fails(FailureReason.TooLarge, encoded, new PictureLimits(encoded.Length - 1, 5000));
        Fails(FailureReason.TooLarge, encoded, new PictureLimits(encoded.Length, 4999));
    }

    [Theory]
    [InlineData("", FailureReason.NotAPicture)]
    [InlineData("hello, this is a text file renamed to jpg", FailureReason.NotAPicture)]
    [InlineData("BM is how this text begins, but it is no bitmap", FailureReason.NotAPicture)]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg'/>", FailureReason.NotAPicture)]
    [InlineData("\0\0\0\u0018ftypheic\0\0\0\0mif1heic", FailureReason.Unsupported)]
    [InlineData("\0\0\0\u0018ftypavif\0\0\0\0mif1avif", FailureReason.Unsupported)]
    [InlineData("\0\0\0\u0018ftypisom\0\0\0\0isommp42", FailureReason.NotAPicture)]
    [InlineData("II*\0\u0008\0\0\0", FailureReason.Unsupported)]
    [InlineData("GIF89a", FailureReason.Undecodable)]
    public void Other_files_are_refused_with_the_right_fault(string content, FailureReason fault) =>
        Fails(fault, System.Text.Encoding.Latin1.GetBytes(content));

    [Theory]
    [MemberData(nameof(Formats))]
    public void Truncated_pictures_are_refused(PictureFormat format)
    {
        using var scene = Samples.Scene(200, 150);
        var encoded = Samples.Encode(scene, format);
        if (format == PictureFormat.Jpeg)
        {
            // A thumbnail has its own end marker, which must not count.
            encoded = [0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9, .. encoded[2..]];
        }

        using (PictureDecoder.Decode(encoded, Limits))
        {
        }

        foreach (var share in new[] { 0.05, 0.3, 0.5, 0.9, 0.97 })
        {
            Fails(FailureReason.Undecodable, encoded[..(int)(encoded.Length * share)]);
        }
    }

    [Fact]
    public void Jpeg_with_bytes_after_its_end_is_complete()
    {
        byte[] encoded = [.. Samples.Jpeg(64, 48), .. new byte[5000]];
        using var picture = PictureDecoder.Decode(encoded, Limits);
        Assert.Equal(64, picture.Width);
    }

    [Fact]
    public void A_disposed_picture_cannot_be_read()
    {
        var picture = Picture.Create(4, 4);
        picture.Dispose();
        picture.Dispose();
        Assert.Throws<ObjectDisposedException>(() => picture.Pixels.Length);
    }

    internal static void AssertColour(Picture picture, int x, int y, int red, int green, int blue, int tolerance = 12)
    {
        var pixel = picture.Pixels.Slice((y * picture.Stride) + (x * 4), 4);
        Assert.InRange((int)pixel[0], red - tolerance, red + tolerance);
        Assert.InRange((int)pixel[1], green - tolerance, green + tolerance);
        Assert.InRange((int)pixel[2], blue - tolerance, blue + tolerance);
        Assert.Equal(255, pixel[3]);
    }

    private static void Fails(FailureReason fault, byte[] encoded, PictureLimits? limits = null)
    {
        var exception = Assert.Throws<PictureException>(() => PictureDecoder.Decode(encoded, limits ?? Limits).Dispose());
        Assert.Equal(fault, exception.Reason);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>The stored picture whose orientation gives <paramref name="upright"/>, according to the text of the EXIF standard.</summary>
    internal static SKBitmap Store(SKBitmap upright, int orientation)
    {
        var (w, h) = (upright.Width, upright.Height);
        var stored = orientation >= 5 ? new SKBitmap(h, w) : new SKBitmap(w, h);
        for (var row = 0; row < stored.Height; row++)
        {
            for (var column = 0; column < stored.Width; column++)
            {
                // "The 0th row is at the visual …, the 0th column at the visual …"
                var (x, y) = orientation switch
                {
                    1 => (column, row), // top, left
                    2 => (w - 1 - column, row), // top, right
                    3 => (w - 1 - column, h - 1 - row), // bottom, right
                    4 => (column, h - 1 - row), // bottom, left
                    5 => (row, column), // left, top
                    6 => (w - 1 - row, column), // right, top
                    7 => (w - 1 - row, h - 1 - column), // right, bottom
                    _ => (row, h - 1 - column), // left, bottom
                };
                stored.SetPixel(column, row, upright.GetPixel(x, y));
            }
        }

        return stored;
    }

    private static Picture Png(int width, int height, byte depth, byte colourType, byte[] row, byte[]? palette = null) =>
        PictureDecoder.Decode(PngFile(width, height, depth, colourType, palette ?? [], row), Limits);

    private static byte[] PngFile(int width, int height, byte depth, byte colourType, byte[] palette, byte[] row)
    {
        using var file = new MemoryStream();
        file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (depth, colourType);
        Chunk(file, "IHDR"u8, header);
        if (palette.Length > 0)
        {
            Chunk(file, "PLTE"u8, palette);
        }

        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Fastest, true))
        {
            for (var y = 0; y < Math.Min(height, 10); y++)
            {
                zlib.WriteByte(0);
                zlib.Write(row);
            }
        }

        Chunk(file, "IDAT"u8, data.ToArray());
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void Chunk(Stream file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        byte[] body = [.. name, .. data];
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Samples.Crc(body));
        file.Write(number);
    }
}
