using System.Buffers.Binary;
using SkiaSharp;

namespace Detection.Inference.Pictures;

/// <summary>Finds the EXIF orientation of PNG and WebP files. That of a JPEG is found by SkiaSharp.</summary>
internal static class Exif
{
    private const ushort OrientationTag = 0x0112;
    private const ushort Short = 3;
    private const int EntryBytes = 12;

    /// <summary>The orientation in the file, or the default if the file contains no valid one.</summary>
    /// <param name="encoded">A PNG or WebP file.</param>
    /// <param name="format">PNG or WebP; other formats have none.</param>
    public static SKEncodedOrigin Orientation(ReadOnlySpan<byte> encoded, PictureFormat format) => format switch
    {
        PictureFormat.Png => InTiff(PngChunk(encoded, "eXIf"u8)),
        PictureFormat.WebP => InTiff(WebPChunk(encoded, "EXIF"u8)),
        _ => SKEncodedOrigin.TopLeft,
    };

    private static ReadOnlySpan<byte> PngChunk(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> name)
    {
        for (long at = 8; at + 12 <= encoded.Length;)
        {
            var chunk = encoded[(int)at..];
            var length = BinaryPrimitives.ReadUInt32BigEndian(chunk);
            if (chunk.Slice(4, 4).SequenceEqual(name))
            {
                return length <= chunk.Length - 12 ? chunk.Slice(8, (int)length) : default;
            }

            at += 12L + length;
        }

        return default;
    }

    private static ReadOnlySpan<byte> WebPChunk(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> name)
    {
        for (long at = 12; at + 8 <= encoded.Length;)
        {
            var chunk = encoded[(int)at..];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            if (chunk.StartsWith(name))
            {
                return length <= chunk.Length - 8 ? chunk.Slice(8, (int)length) : default;
            }

            // Chunks start at even offsets.
            at += 8L + length + (length & 1);
        }

        return default;
    }

    private static SKEncodedOrigin InTiff(ReadOnlySpan<byte> tiff)
    {
        // This prefix belongs to EXIF segments of JPEG files only, but some writers copy it.
        if (tiff.StartsWith("Exif\0\0"u8))
        {
            tiff = tiff[6..];
        }

        var bigEndian = tiff.StartsWith("MM\0*"u8);
        if (tiff.Length < 8 || !(bigEndian || tiff.StartsWith("II*\0"u8)))
        {
            return SKEncodedOrigin.TopLeft;
        }

        long directory = bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]);
        if (directory + 2 > tiff.Length)
        {
            return SKEncodedOrigin.TopLeft;
        }

        var entries = tiff[((int)directory + 2)..];
        for (var left = UInt16(tiff[(int)directory..], bigEndian); left > 0 && entries.Length >= EntryBytes; left--, entries = entries[EntryBytes..])
        {
            if (UInt16(entries, bigEndian) == OrientationTag)
            {
                var value = UInt16(entries[8..], bigEndian);
                return UInt16(entries[2..], bigEndian) == Short && value is >= 1 and <= 8 ? (SKEncodedOrigin)value : SKEncodedOrigin.TopLeft;
            }
        }

        return SKEncodedOrigin.TopLeft;
    }

    private static ushort UInt16(ReadOnlySpan<byte> bytes, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
}
