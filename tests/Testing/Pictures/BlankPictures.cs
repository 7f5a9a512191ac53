using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Detection.Testing;

/// <summary>Pictures without content: small files with any number of pixels, which are costly to decode.</summary>
public static class BlankPictures
{
    private const byte Palette = 3;

    // Above this only the file grows.
    private const long MostBytes = 250_000_000;

    /// <summary>A PNG.</summary>
    /// <param name="colour">0 for grey, 2 for RGB, 3 for a palette, 6 for RGBA; each channel has 8 bits.</param>
    /// <param name="extra">More chunks, by their names.</param>
    public static byte[] Png(int width, int height, byte colour, params IReadOnlyList<(string Name, byte[] Data)> extra)
    {
        ArgumentNullException.ThrowIfNull(extra);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = colour;
        var channels = colour switch { 2 => 3, 6 => 4, _ => 1 };
        var pixels = Zeros(Math.Min(height * (((long)width * channels) + 1), MostBytes));
        IEnumerable<(string, byte[])> palette = colour == Palette ? [("PLTE", new byte[3])] : [];
        using var png = new MemoryStream();
        png.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> number = stackalloc byte[4];
        foreach (var (name, data) in extra.Prepend(("IHDR", header)).Concat(palette).Append(("IDAT", pixels)).Append(("IEND", [])))
        {
            byte[] named = [.. Encoding.ASCII.GetBytes(name), .. data];
            BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
            png.Write(number);
            png.Write(named);
            BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.HashToUInt32(named));
            png.Write(number);
        }

        return png.ToArray();
    }

    /// <summary>A number of zeros, compressed as the data of a PNG.</summary>
    public static byte[] Zeros(long count)
    {
        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var zeros = new byte[65_536];
            for (; count > 0; count -= zeros.Length)
            {
                deflate.Write(zeros, 0, (int)Math.Min(count, zeros.Length));
            }
        }

        return packed.ToArray();
    }

    /// <summary>A grey progressive JPEG with a number of scans; each scan covers the whole picture.</summary>
    public static byte[] Jpeg(ushort width, ushort height, int scans)
    {
        using var jpeg = new MemoryStream();
        var table = new byte[64];
        table.AsSpan().Fill(1);
        jpeg.Write([0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0, .. table]);
        jpeg.Write([0xFF, 0xC2, 0, 11, 8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 1, 1, 0x11, 0]);
        foreach (var kind in (byte[])[0x00, 0x10])
        {
            jpeg.Write([0xFF, 0xC4, 0, 20, kind, 1, .. new byte[15], 0]);
        }

        for (var scan = 0; scan < scans; scan++)
        {
            // Coefficient 0 first, then 1 to 63. The coded data are missing; decoders read zeros.
            var (first, last) = scan == 0 ? ((byte)0, (byte)0) : ((byte)1, (byte)63);
            jpeg.Write([0xFF, 0xDA, 0, 8, 1, 1, 0, first, last, 0, 0, 0]);
        }

        jpeg.Write([0xFF, 0xD9]);
        return jpeg.ToArray();
    }
}
