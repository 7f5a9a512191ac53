using Detection.Inference.Pictures;
using Detection.Objects;

namespace Detection.Inference.Tests.Pictures;

/// <summary>Kinds of JPEG that few encoders write, with and without libjpeg-turbo.</summary>
public sealed class JpegKindTests
{
    private const int Size = 192;

    private static readonly PictureLimits Limits = new();

    private static readonly (int Across, int Down)[][] Samplings =
    [
        [(1, 1)],
        [(2, 2)],
        .. new[] { (1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4), (4, 2), (2, 4), (3, 1), (1, 3), (3, 2), (2, 3) }
            .Select(luminance => new[] { luminance, (1, 1), (1, 1) }),
        [(2, 2), (1, 2), (2, 1)],
        [(2, 2), (2, 1), (1, 1)],
        [(2, 2), (2, 2), (1, 1)],
        [(1, 1), (2, 2), (2, 2)],
        [(2, 1), (1, 1), (2, 1)],
        [(4, 1), (2, 1), (1, 1)],
        [(2, 3), (1, 1), (1, 3)],
        [(3, 1), (1, 1), (3, 1)],
    ];

    public static TheoryData<byte, bool, int> Forms() => new()
    {
        { 0xC0, true, 0 }, { 0xC0, false, 0 }, { 0xC0, true, 5 }, { 0xC1, true, 0 }, { 0xC1, false, 7 }, { 0xC2, true, 0 }, { 0xC2, false, 0 },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_sampling_shows_its_colours(byte frame, bool interleaved, int restarts)
    {
        foreach (var sampling in Samplings)
        {
            var jpeg = BlockJpeg.Quadrants(Size) with { Frame = frame, Interleaved = interleaved, RestartInterval = restarts, Sampling = sampling };
            var encoded = jpeg.Encode();
            foreach (var turbo in new[] { TurboJpeg.IsAvailable, false })
            {
                foreach (var min in new[] { 0, Size / 2, Size / 4, Size / 8 })
                {
                    using var picture = PictureDecoder.Decode(encoded, Limits, min, min, turbo);
                    Assert.Equal((Size, Size), (picture.OriginalWidth, picture.OriginalHeight));
                    AssertQuadrants(picture, $"{string.Join(' ', sampling)} {(turbo ? "turbo" : "SkiaSharp")} 1/{picture.Reduction}", grey: sampling.Length == 1);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void File_without_its_end_is_decoded_if_its_data_is_complete(byte frame, bool interleaved, int restarts)
    {
        var encoded = (BlockJpeg.Quadrants(Size) with { Frame = frame, Interleaved = interleaved, RestartInterval = restarts }).Encode();
        using var expected = PictureDecoder.Decode(encoded, Limits);
        byte[][] trailers =
        [
            [],
            [.. "SEFT and what a camera writes"u8],
            [0xFF, 0xFF, 0xFF],
            [0, 0, 0, 0],
            [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, .. new byte[14]],
            [0xFF, 0x17, 1, 2, 3],
            [0xFF, 0xF3],
            [0xFF, 0xE5, 0xFF, 0xFF, 1, 2],
            [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7 % 255))],
        ];

        foreach (var turbo in new[] { TurboJpeg.IsAvailable, false })
        {
            foreach (var trailer in trailers)
            {
                using var picture = PictureDecoder.Decode([.. encoded[..^2], .. trailer], Limits, 0, 0, turbo);
                AssertQuadrants(picture, $"{trailer.Length} bytes behind", grey: false);
                if (turbo)
                {
                    Assert.Equal(expected.Pixels, picture.Pixels);
                }
            }
        }
    }

    [Fact]
    public void Arithmetic_file_without_its_end_is_refused()
    {
        // Any bytes are valid arithmetic data, such as those of a Huffman scan.
        var encoded = (BlockJpeg.Quadrants(Size) with { Frame = 0xC9 }).Encode();
        foreach (var turbo in new[] { TurboJpeg.IsAvailable, false })
        {
            using var whole = turbo ? PictureDecoder.Decode(encoded, Limits, 0, 0, turbo) : null;
            var exception = Assert.Throws<PictureException>(() => PictureDecoder.Decode(encoded.AsSpan(0, encoded.Length - 2), Limits, 0, 0, turbo).Dispose());
            Assert.Equal("The JPEG picture is truncated.", exception.Message);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Truncated_file_is_refused(byte frame, bool interleaved, int restarts)
    {
        var encoded = (BlockJpeg.Quadrants(Size) with { Frame = frame, Interleaved = interleaved, RestartInterval = restarts }).Encode();
        foreach (var turbo in new[] { TurboJpeg.IsAvailable, false })
        {
            // The last byte of data may be padding.
            for (var length = 3; length < encoded.Length - 3; length++)
            {
                // The last scans of a progressive file change no pixel here, and SkiaSharp does not report that they are missing.
                if (!turbo && frame == 0xC2 && JpegStructure.Read(encoded.AsSpan(0, length)).IsComplete)
                {
                    break;
                }

                var exception = Assert.Throws<PictureException>(() => PictureDecoder.Decode(encoded.AsSpan(0, length), Limits, 0, 0, turbo).Dispose());
                Assert.Equal(FailureReason.Undecodable, exception.Reason);
            }

            using var good = PictureDecoder.Decode(encoded, Limits, 0, 0, turbo);
            AssertQuadrants(good, "whole", grey: false);
        }
    }

    [Fact]
    public void A_photo_without_its_end_shows_the_same_pixels_and_a_truncated_one_is_refused()
    {
        Assert.SkipUnless(TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        foreach (var name in new[] { "baseline.jpg", "progressive.jpg", "grey.jpg" })
        {
            var encoded = File.ReadAllBytes(TestPictures.Path($"edge/{name}"));
            using var expected = PictureDecoder.Decode(encoded, Limits);
            var end = JpegStructure.Read(encoded).DataEnd;
            using var actual = PictureDecoder.Decode(encoded.AsSpan(0, end), Limits);
            Assert.Equal(expected.Pixels, actual.Pixels);
            foreach (var share in new[] { 0.3, 0.5, 0.7, 0.9, 0.98 })
            {
                Assert.Throws<PictureException>(() => PictureDecoder.Decode(encoded.AsSpan(0, (int)(end * share)), Limits).Dispose());
            }
        }
    }

    [Fact]
    public void Frames_from_webcams_are_decoded()
    {
        // Fill bytes before the end, bytes between segments, and two end markers (libjpeg-turbo #157, jpeg-decoder #147, zune-image #261).
        var encoded = BlockJpeg.Quadrants(Size).Encode();
        foreach (var turbo in new[] { TurboJpeg.IsAvailable, false })
        {
            foreach (var frame in new byte[][]
            {
                [.. encoded[..^2], 0xFF, 0xFF, 0xFF, 0xD9],
                [.. encoded, 0xFF, 0xD9, 0, 0, 0],
                [0xFF, 0xD8, 0xFF, 0xFE, 0, 2, 0, 1, 2, .. encoded[2..]],
                [0xFF, 0xD8, 0xFF, 0x00, 0x12, .. encoded[2..]],
                [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, .. "AVI1"u8, .. new byte[10], .. encoded[2..]],
            })
            {
                using var picture = PictureDecoder.Decode(frame, Limits, 0, 0, turbo);
                AssertQuadrants(picture, "webcam", grey: false);
            }
        }
    }

    [Theory]
    [InlineData(0xC0, 12, "12 bits")]
    [InlineData(0xC1, 12, "12 bits")]
    [InlineData(0xC2, 12, "12 bits")]
    [InlineData(0xC3, 8, "Lossless")]
    [InlineData(0xC3, 16, "Lossless")]
    [InlineData(0xCB, 8, "Lossless")]
    [InlineData(0xC5, 8, "Hierarchical")]
    [InlineData(0xC7, 8, "Hierarchical")]
    [InlineData(0xCF, 8, "Hierarchical")]
    public void Unsupported_kinds_are_refused_by_name(int frame, int precision, string named)
    {
        var encoded = (BlockJpeg.Quadrants(Size) with { Frame = (byte)frame, Precision = precision }).Encode();
        foreach (var turbo in new[] { TurboJpeg.IsAvailable, false })
        {
            var exception = Assert.Throws<PictureException>(() => PictureDecoder.Decode(encoded, Limits, 0, 0, turbo).Dispose());
            Assert.Equal(FailureReason.Unsupported, exception.Reason);
            Assert.Contains(named, exception.Message, StringComparison.Ordinal);
        }
    }

    private static void AssertQuadrants(Picture picture, string what, bool grey)
    {
        var pixels = picture.Pixels;
        foreach (var x in new[] { 0, 20, 47, 72, 120, 150, 191 })
        {
            foreach (var y in new[] { 0, 20, 47, 72, 120, 150, 191 })
            {
                var (r, g, b) = BlockJpeg.QuadrantColour(Size, x, y);
                if (grey)
                {
                    r = g = b = (int)Math.Round((0.299 * r) + (0.587 * g) + (0.114 * b));
                }

                var pixel = pixels.Slice((y / picture.Reduction * picture.Stride) + (x / picture.Reduction * 4), 4);
                Assert.True(
                    Math.Abs(r - pixel[0]) <= 3 && Math.Abs(g - pixel[1]) <= 3 && Math.Abs(b - pixel[2]) <= 3 && pixel[3] == 255,
                    $"{what}: ({pixel[0]}, {pixel[1]}, {pixel[2]}) instead of ({r}, {g}, {b}) at ({x}, {y})");
            }
        }
    }
}
