using Detection.Inference.Pictures;
using Detection.Objects;

namespace Detection.Inference.Tests.Pictures;

public sealed class PictureCostTests
{
    private static readonly PictureLimits Limits = new();

    [Theory]
    [InlineData(PictureFormat.Jpeg, 2)]
    [InlineData(PictureFormat.Png, 4)]
    [InlineData(PictureFormat.WebP, 5)]
    [InlineData(PictureFormat.Gif, 3)]
    [InlineData(PictureFormat.Bmp, 2)]
    public void Cost_grows_with_the_pixels(PictureFormat format, int units)
    {
        using var small = Samples.Scene(40, 30);
        Assert.Equal(1, PictureCost.Of(Samples.Encode(small, format)));

        // 1.2 megapixels; a JPEG of SkiaSharp has halved colour resolution, its PNG three bytes a pixel.
        using var large = Samples.Scene(1200, 1000);
        Assert.Equal(units, PictureCost.Of(Samples.Encode(large, format)));
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0xFF, 0xD8 })]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8 })]
    [InlineData(new byte[] { 0x89, 0x50, 0x4E, 0x47 })]
    [InlineData(new byte[] { 1, 2, 3 })]
    public void Cost_of_unreadable_bytes_is_one(byte[] encoded) => Assert.Equal(1, PictureCost.Of(encoded));

    [Fact]
    public void Cost_of_damaged_files_is_computed()
    {
        var random = new Random(20261127);
        using var scene = Samples.Scene(61, 47);
        foreach (var format in Enum.GetValues<PictureFormat>())
        {
            var whole = Samples.Encode(scene, format);
            for (var round = 0; round < 500; round++)
            {
                var damaged = whole[..random.Next(whole.Length + 1)];
                for (var i = random.Next(8); i > 0 && damaged.Length > 0; i--)
                {
                    damaged[random.Next(Math.Min(damaged.Length, 100))] = random.Next(3) == 0 ? (byte)0xFF : (byte)random.Next(256);
                }

                Assert.InRange(PictureCost.Of(damaged), 1, int.MaxValue);
            }
        }
    }

    [Theory]
    [InlineData(0xC0, false)]
    [InlineData(0xC1, false)]
    [InlineData(0xC2, false)]
    [InlineData(0xC0, true)]
    [InlineData(0xC2, true)]
    public void Scans_of_every_kind_of_jpeg_are_counted(byte frame, bool hidden)
    {
        var few = ScannedJpeg.Make(64, 48, frame, 100, hidden);
        Assert.Equal(100, JpegStructure.Read(few).Scans);
        var many = ScannedJpeg.Make(64, 48, frame, 101, hidden);
        Assert.Equal(101, JpegStructure.Read(many).Scans);
        foreach (var turbo in new[] { true, false })
        {
            var exception = Assert.Throws<PictureException>(() => PictureDecoder.Decode(many, Limits, 0, 0, turbo).Dispose());
            Assert.Equal(FailureReason.Unsupported, exception.Reason);
            Assert.Contains("100 scans", exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0xC0)]
    [InlineData(0xC2)]
    public void A_large_jpeg_of_many_scans_is_refused_by_its_cost(byte frame)
    {
        // 48 megapixels, 90 scans: below the limit of each, but not together.
        var encoded = ScannedJpeg.Make(8000, 6000, frame, 90, hidden: false);
        var cost = PictureCost.Of(encoded);
        Assert.InRange(cost, Limits.MaxCost + 1, 10_000);
        var exception = Assert.Throws<PictureException>(() => PictureDecoder.Decode(encoded, Limits).Dispose());
        Assert.Equal(FailureReason.Unsupported, exception.Reason);
        Assert.Contains("costs", exception.Message, StringComparison.Ordinal);
        using var good = PictureDecoder.Decode(Samples.Jpeg(64, 48), Limits);
        Assert.Equal(64, good.Width);
    }

    [Fact]
    public void Scans_in_the_thumbnail_and_behind_the_end_are_not_counted()
    {
        var jpeg = Samples.Jpeg(64, 48);
        var other = ScannedJpeg.Make(16, 16, 0xC2, 300, hidden: false);
        byte[] withThumbnail = [0xFF, 0xD8, 0xFF, 0xE1, (byte)((other.Length + 2) >> 8), (byte)(other.Length + 2), .. other, .. jpeg[2..]];
        Assert.Equal(1, JpegStructure.Read(withThumbnail).Scans);
        Assert.Equal(1, JpegStructure.Read([.. jpeg, .. other]).Scans);
        using var first = PictureDecoder.Decode(withThumbnail, Limits);
        using var second = PictureDecoder.Decode([.. jpeg, .. other], Limits);
        Assert.Equal(first.Pixels, second.Pixels);
    }

    [Fact]
    public void Largest_pictures_that_encoders_write_are_within_the_limit()
    {
        // 50 megapixels: progressive in ten scans with full colour, and PNG with 16 bits, alpha and interlacing.
        Assert.InRange(PictureCost.Of(ScannedJpeg.Make(7071, 7071, 0xC2, 10, hidden: false)), 100, Limits.MaxCost);
        byte[] png = [0x89, .. "PNG"u8, 13, 10, 26, 10, 0, 0, 0, 13, .. "IHDR"u8, 0, 0, 0x1B, 0x9F, 0, 0, 0x1B, 0x9F, 16, 6, 0, 0, 1, 0, 0, 0, 0];
        Assert.InRange(PictureCost.Of(png), 600, Limits.MaxCost);
    }
}
