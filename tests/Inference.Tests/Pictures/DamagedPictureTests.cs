using System.Buffers.Binary;
using System.Security.Cryptography;
using Detection.Inference.Pictures;
using SkiaSharp;

namespace Detection.Inference.Tests.Pictures;

/// <summary>Randomly damaged files are decoded or refused, and nothing else happens.</summary>
public sealed class DamagedPictureTests
{
    [Theory]
    [InlineData(PictureFormat.Jpeg, 1500, true)]
    [InlineData(PictureFormat.Jpeg, 1500, false)]
    [InlineData(PictureFormat.Png, 1500, false)]
    [InlineData(PictureFormat.WebP, 700, false)]
    [InlineData(PictureFormat.Gif, 700, false)]
    [InlineData(PictureFormat.Bmp, 700, false)]
    public void Damage_is_refused_or_decoded(PictureFormat format, int rounds, bool turbo)
    {
        Assert.SkipWhen(turbo && !TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        using var scene = Samples.Scene(61, 47);
        var whole = Samples.Encode(scene, format);
        if (format == PictureFormat.Jpeg)
        {
            whole = Samples.WithOrientation(whole, 6);
        }

        var limits = new PictureLimits(1_000_000, 1_000_000);
        var random = new Random(20261125);
        var (decoded, refused) = (0, 0);
        for (var round = 0; round < rounds; round++)
        {
            var damaged = Damage(whole, random);
            if (format == PictureFormat.Png && round % 4 != 0)
            {
                MendChecksums(damaged);
            }

            try
            {
                var min = random.Next(3) * 10;
                using var picture = PictureDecoder.Decode(damaged, limits, min, min, turbo);
                Assert.Equal(picture.Stride * picture.Height, picture.Pixels.Length);
                decoded++;
            }
            catch (PictureException)
            {
                refused++;
            }
            catch (Exception exception)
            {
                Assert.Fail($"Round {round}: {exception}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{decoded} decoded, {refused} refused");
        Assert.True(refused > rounds / 20, $"Only {refused} of {rounds} were refused.");

        // The state that codecs keep between pictures is intact.
        using var again = PictureDecoder.Decode(whole, limits, 0, 0, turbo);
        Assert.Equal(61 * 47, again.Width * again.Height);
    }

    /// <summary>
    /// Only the content of a file counts: codecs that keep tables of one file for the next would return pixels of an earlier picture for a file
    /// without tables.
    /// </summary>
    [Theory]
    [InlineData(PictureFormat.Jpeg, 4000, true)]
    [InlineData(PictureFormat.Jpeg, 1500, false)]
    [InlineData(PictureFormat.Png, 1500, false)]
    [InlineData(PictureFormat.WebP, 700, false)]
    [InlineData(PictureFormat.Gif, 700, false)]
    [InlineData(PictureFormat.Bmp, 700, false)]
    public void Damaged_file_decodes_the_same_after_any_other_picture(PictureFormat format, int rounds, bool turbo)
    {
        Assert.SkipWhen(turbo && !TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        using var scene = Samples.Scene(61, 47);
        using var night = new SKBitmap(61, 47);
        night.Erase(SKColors.Navy);
        var (whole, dark) = (Samples.Encode(scene, format), Samples.Encode(night, format));
        var random = new Random(20261127);
        for (var round = 0; round < rounds; round++)
        {
            var damaged = Damage(whole, random);
            if (format == PictureFormat.Jpeg && round % 3 == 0)
            {
                // Without its end marker.
                damaged = damaged[..^Math.Min(2, damaged.Length)];
            }

            if (format == PictureFormat.Png && round % 4 != 0)
            {
                MendChecksums(damaged);
            }

            Outcome(dark, turbo);
            var first = Outcome(damaged, turbo);
            Outcome(whole, turbo);
            Assert.True(first == Outcome(damaged, turbo), $"Round {round}: {first}, then {Outcome(damaged, turbo)}");
        }
    }

    [Fact]
    public void Missing_tables_are_not_taken_from_an_earlier_picture()
    {
        Assert.SkipUnless(TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        using var scene = Samples.Scene(61, 47);
        var whole = Samples.Encode(scene, PictureFormat.Jpeg);

        // The length of its first segment includes the quantisation table.
        var lacking = whole.ToArray();
        Assert.Equal(16, lacking[5]);
        lacking[5] += 4;
        Outcome(whole, turbo: true);
        Assert.Equal("The JPEG picture is damaged (Quantization table 0x00 was not defined).", Outcome(lacking, turbo: true));
        Assert.Equal("The JPEG picture is truncated.", Outcome(lacking[..^2], turbo: true));
    }

    private static string Outcome(byte[] file, bool turbo)
    {
        try
        {
            using var picture = PictureDecoder.Decode(file, new PictureLimits(1_000_000, 1_000_000), 0, 0, turbo);
            return Convert.ToHexString(SHA256.HashData(picture.Pixels));
        }
        catch (PictureException e)
        {
            return e.Message;
        }
    }

    private static byte[] Damage(byte[] whole, Random random)
    {
        var damaged = whole.ToArray();
        var kind = random.Next(5);
        switch (kind)
        {
            case 0:
                return damaged[..random.Next(damaged.Length)];
            case 1:
                var from = random.Next(damaged.Length);
                return [.. damaged[..from], .. damaged[random.Next(from, damaged.Length)..]];
            case 2:
                // The parsers read the header.
                for (var i = random.Next(1, 6); i > 0; i--)
                {
                    damaged[random.Next(Math.Min(damaged.Length, 200))] = (byte)random.Next(256);
                }

                return damaged;
            case 3:
                for (var i = random.Next(1, 40); i > 0; i--)
                {
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                }

                return damaged;
            default:
                var at = random.Next(damaged.Length);
                random.NextBytes(damaged.AsSpan(at, random.Next(damaged.Length - at)));
                return damaged;
        }
    }

    // Otherwise nearly all damage fails at a checksum and never reaches the code behind it.
    private static void MendChecksums(byte[] png)
    {
        var at = 8;
        while (at + 12 <= png.Length)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at));
            if (length > png.Length - at - 12)
            {
                return;
            }

            var body = png.AsSpan(at + 4, (int)length + 4);
            BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(at + 8 + (int)length), Samples.Crc(body));
            at += (int)length + 12;
        }
    }
}
