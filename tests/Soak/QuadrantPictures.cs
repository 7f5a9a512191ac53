using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Detection.Soak;

/// <summary>Black pictures of 64 x 64 pixels with some lit quadrants, for the graphs of the shared cases.</summary>
internal static class QuadrantPictures
{
    private const int Side = 64;
    private const byte Light = 230;

    /// <summary>A PNG whose first <paramref name="count"/> quadrants are lit.</summary>
    public static byte[] Lit(int count)
    {
        var rows = new byte[Side * (1 + (Side * 3))];
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var quadrant = (y / (Side / 2) * 2) + (x / (Side / 2));
                rows.AsSpan((y * (1 + (Side * 3))) + 1 + (x * 3), 3).Fill(quadrant < count ? Light : (byte)0);
            }
        }

        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(rows);
        }

        using var png = new MemoryStream();
        png.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        Write(png, "IHDR", [0, 0, 0, Side, 0, 0, 0, Side, 8, 2, 0, 0, 0]);
        Write(png, "IDAT", packed.ToArray());
        Write(png, "IEND", []);
        return png.ToArray();
    }

    private static void Write(MemoryStream png, string name, byte[] data)
    {
        Span<byte> number = stackalloc byte[4];
        byte[] named = [.. Encoding.ASCII.GetBytes(name), .. data];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        png.Write(named);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.HashToUInt32(named));
        png.Write(number);
    }
}
