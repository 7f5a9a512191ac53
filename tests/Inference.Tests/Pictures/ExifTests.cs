using System.Buffers.Binary;
using Detection.Inference.Pictures;
using SkiaSharp;

namespace Detection.Inference.Tests.Pictures;

/// <summary>The orientation of PNG and WebP files; that of JPEG is in <see cref="PictureDecoderTests"/>.</summary>
public sealed class ExifTests
{
    private static readonly PictureLimits Limits = new();

    public static TheoryData<PictureFormat, int> FormatsAndOrientations()
    {
        var all = new TheoryData<PictureFormat, int>();
        for (var orientation = 1; orientation <= 8; orientation++)
        {
            all.Add(PictureFormat.Png, orientation);
            all.Add(PictureFormat.WebP, orientation);
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(FormatsAndOrientations))]
    public void Orientation_is_obeyed(PictureFormat format, int orientation)
    {
        using var upright = Samples.Quadrants(64, 48);
        using var stored = PictureDecoderTests.Store(upright, orientation);
        var file = Samples.Encode(stored, format == PictureFormat.Png ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Webp, 100);
        foreach (var bigEndian in new[] { true, false })
        {
            foreach (var prefixed in new[] { true, false })
            {
                byte[] exif = [.. prefixed ? "Exif\0\0"u8 : [], .. Tiff(orientation, bigEndian)];
                foreach (var encoded in format == PictureFormat.Png
                    ? new[] { Png(file, exif, last: false), Png(file, exif, last: true) }
                    : [WebP(file, stored.Width, stored.Height, exif)])
                {
                    Assert.Equal(new PictureHeader(format, 64, 48), PictureDecoder.ReadHeader(encoded, Limits));
                    using var picture = PictureDecoder.Decode(encoded, Limits);
                    Assert.Equal((64, 48), (picture.OriginalWidth, picture.OriginalHeight));
                    PictureDecoderTests.AssertColour(picture, 8, 8, 255, 0, 0, 6);
                    PictureDecoderTests.AssertColour(picture, 56, 8, 0, 255, 0, 6);
                    PictureDecoderTests.AssertColour(picture, 8, 40, 0, 0, 255, 6);
                    PictureDecoderTests.AssertColour(picture, 56, 40, 255, 255, 255, 6);
                }
            }
        }
    }

    [Fact]
    public void Invalid_orientation_is_ignored()
    {
        using var scene = Samples.Quadrants(64, 48);
        var file = Samples.Encode(scene, SKEncodedImageFormat.Png);
        var good = Tiff(6, bigEndian: false);
        var far = (byte[])good.Clone();
        BinaryPrimitives.WriteUInt32LittleEndian(far.AsSpan(4), uint.MaxValue);
        var many = (byte[])good.Clone();
        BinaryPrimitives.WriteUInt16LittleEndian(many.AsSpan(8), ushort.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(many.AsSpan(10), 0x0110);
        foreach (var exif in new byte[][]
        {
            [], [.. "II"u8], good[..8], good[..12], good[..17], far, many, Tiff(0, false), Tiff(9, true), [.. "XX"u8, .. good[2..]], new byte[300],
        })
        {
            Assert.Equal(new PictureHeader(PictureFormat.Png, 64, 48), PictureDecoder.ReadHeader(Png(file, exif, last: false), Limits));
        }
    }

    private static byte[] Tiff(int orientation, bool bigEndian) => bigEndian
        ? [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0]
        : [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0];

    private static byte[] Png(byte[] file, byte[] exif, bool last)
    {
        byte[] body = [.. "eXIf"u8, .. exif];
        var chunk = new byte[exif.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, exif.Length);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + exif.Length), Samples.Crc(body));
        var at = last ? file.Length - 12 : 33;
        return [.. file[..at], .. chunk, .. file[at..]];
    }

    // A plain file has one chunk behind its 12 bytes; the extended one says in front of it what follows.
    private static byte[] WebP(byte[] file, int width, int height, byte[] exif)
    {
        var extended = new byte[18];
        "VP8X"u8.CopyTo(extended);
        extended[4] = 10;
        extended[8] = 0x08;
        extended[12] = (byte)(width - 1);
        extended[15] = (byte)(height - 1);
        byte[] chunk = [.. "EXIF"u8, (byte)exif.Length, 0, 0, 0, .. exif, .. new byte[exif.Length % 2]];
        byte[] body = [.. "WEBP"u8, .. extended, .. file[12..], .. chunk];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
    }
}
