using System.Buffers.Binary;
using Detection.Objects;

namespace Detection.Inference.Pictures;

/// <summary>Recognises a picture's format from its first bytes.</summary>
internal static class PictureSniffer
{
    private const string Supported = "send JPEG, PNG, WebP, GIF or BMP";

    /// <summary>The format of <paramref name="encoded"/>.</summary>
    /// <exception cref="PictureException">Not a picture, or of a format that is not supported.</exception>
    public static PictureFormat Sniff(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty)
        {
            throw new PictureException(FailureReason.NotAPicture, "The picture is empty.");
        }

        if (encoded is [0xFF, 0xD8] or [0xFF, 0xD8, 0xFF, ..])
        {
            return PictureFormat.Jpeg;
        }

        if (encoded.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        {
            return PictureFormat.Png;
        }

        if (encoded.StartsWith("GIF87a"u8) || encoded.StartsWith("GIF89a"u8))
        {
            return PictureFormat.Gif;
        }

        if (encoded.Length >= 12 && encoded.StartsWith("RIFF"u8) && encoded[8..].StartsWith("WEBP"u8))
        {
            return PictureFormat.WebP;
        }

        if (IsBmp(encoded))
        {
            return PictureFormat.Bmp;
        }

        throw OtherFormat(encoded) is { } name
            ? new PictureException(FailureReason.Unsupported, $"{name} pictures are not supported; {Supported}.")
            : new PictureException(FailureReason.NotAPicture, $"This is not a picture; {Supported}.");
    }

    // "BM" alone may be the start of a text: the size of the second header must be a known one.
    private static bool IsBmp(ReadOnlySpan<byte> encoded) =>
        encoded.Length >= 18
        && encoded.StartsWith("BM"u8)
        && BinaryPrimitives.ReadUInt32LittleEndian(encoded[14..]) is 12 or 16 or 40 or 52 or 56 or 64 or 108 or 124;

    private static string? OtherFormat(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length >= 12 && encoded[4..].StartsWith("ftyp"u8))
        {
            var brand = encoded.Slice(8, 4);
            return brand.StartsWith("avi"u8) ? "AVIF" : brand.StartsWith("he"u8) || brand.StartsWith("mif"u8) ? "HEIC" : null;
        }

        return encoded switch
        {
            [(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..] => "TIFF",
            [0xFF, 0x0A, ..] or [0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' ', ..] => "JPEG XL",
            [0, 0, 0, 12, (byte)'j', (byte)'P', ..] => "JPEG 2000",
            [(byte)'8', (byte)'B', (byte)'P', (byte)'S', ..] => "Photoshop",
            [0, 0, 1, 0, ..] => "Icon",
            _ => null,
        };
    }
}
