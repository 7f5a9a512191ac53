using System.Buffers.Binary;

namespace Detection.Inference.Pictures;

/// <summary>
/// The cost of decoding a picture, computed from its file in microseconds and without decoding. The unit is the decoding of an ordinary photo: a
/// baseline JPEG of one megapixel with halved colour resolution. Every picture costs at least 1, even one that is not readable.
/// </summary>
/// <remarks>
/// It is an upper estimate, used to share and to limit work: the samples that all scans of a JPEG visit, or the bytes of pixels in other formats. It
/// is not the time that a decoder really needs.
/// </remarks>
public static class PictureCost
{
    private const double SamplesPerUnit = 1_500_000;
    private const double BytesPerUnit = 1_000_000;

    /// <summary>The cost of a picture, at least 1.</summary>
    /// <param name="encoded">The whole file: the scans of a JPEG are spread over it.</param>
    public static int Of(ReadOnlySpan<byte> encoded)
    {
        var units = encoded switch
        {
            [0xFF, 0xD8, ..] => OfJpeg(JpegStructure.Read(encoded)),
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => OfPng(encoded),
            [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => OfGif(encoded),
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] => OfWebP(encoded),
            [(byte)'B', (byte)'M', ..] => OfBmp(encoded),
            _ => 0,
        };
        return (int)Math.Clamp(Math.Ceiling(units), 1, int.MaxValue);
    }

    /// <summary>The cost of a JPEG with a known structure.</summary>
    internal static double OfJpeg(in JpegStructure structure)
    {
        // A progressive scan contains some of the bits of each sample, and there are about ten scans.
        var share = structure.IsProgressive ? 0.5 : 1;
        return share * Math.Max(structure.Samples, structure.SamplesOfAPass) / SamplesPerUnit;
    }

    private static double OfPng(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length < 29)
        {
            return 0;
        }

        var channels = encoded[25] switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var bytes = Math.Max(1, channels * encoded[24] / 8);
        var passes = encoded[28] == 0 ? 1 : 2;
        return Pixels(BinaryPrimitives.ReadUInt32BigEndian(encoded[16..]), BinaryPrimitives.ReadUInt32BigEndian(encoded[20..]))
            * bytes * passes / BytesPerUnit;
    }

    private static double OfGif(ReadOnlySpan<byte> encoded) => encoded.Length < 10
        ? 0
        : 2 * Pixels(BinaryPrimitives.ReadUInt16LittleEndian(encoded[6..]), BinaryPrimitives.ReadUInt16LittleEndian(encoded[8..])) / BytesPerUnit;

    // Only the first picture of an animation is decoded, which is at most as large as the canvas.
    private static double OfWebP(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length < 30)
        {
            return 0;
        }

        var (width, height) = encoded[15] switch
        {
            (byte)'X' => (1 + UInt24(encoded[24..]), 1 + UInt24(encoded[27..])),
            (byte)'L' => (1 + (BinaryPrimitives.ReadUInt32LittleEndian(encoded[21..]) & 0x3FFF),
                1 + ((BinaryPrimitives.ReadUInt32LittleEndian(encoded[21..]) >> 14) & 0x3FFF)),
            _ => (BinaryPrimitives.ReadUInt16LittleEndian(encoded[26..]) & 0x3FFFu, BinaryPrimitives.ReadUInt16LittleEndian(encoded[28..]) & 0x3FFFu),
        };
        return 4 * Pixels(width, height) / BytesPerUnit;
    }

    private static double OfBmp(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length < 26)
        {
            return 0;
        }

        var (width, height) = encoded[14] == 12
            ? (BinaryPrimitives.ReadUInt16LittleEndian(encoded[18..]), BinaryPrimitives.ReadUInt16LittleEndian(encoded[20..]))
            : (Math.Abs((double)BinaryPrimitives.ReadInt32LittleEndian(encoded[18..])), Math.Abs((double)BinaryPrimitives.ReadInt32LittleEndian(encoded[22..])));
        return Pixels(width, height) / BytesPerUnit;
    }

    private static double Pixels(double width, double height) => width * height;

    private static uint UInt24(ReadOnlySpan<byte> bytes) => bytes[0] | ((uint)bytes[1] << 8) | ((uint)bytes[2] << 16);
}
