using System.Buffers.Binary;

namespace Detection.Inference.Pictures;

/// <summary>What decoders do not say alike about a JPEG file: whether it is whole and how often it is painted over.</summary>
internal static class JpegStructure
{
    // Encoders write about 10 scans; libjpeg-turbo's own fuzzers show that hundreds serve only to burn time.
    private const int MostScans = 100;

    private const byte StartOfScan = 0xDA;
    private const byte EndOfImage = 0xD9;
    private const byte Progressive = 0xC2;
    private const byte ArithmeticProgressive = 0xCA;

    /// <summary>Refuses a file that ends before its picture does, or one with an unreasonable number of scans.</summary>
    /// <exception cref="PictureException">The reason.</exception>
    public static void Check(ReadOnlySpan<byte> encoded)
    {
        var progressive = false;
        var at = 2;
        while (true)
        {
            // Segments may be separated by fill bytes.
            while (at < encoded.Length && encoded[at] != 0xFF)
            {
                at++;
            }

            while (at < encoded.Length && encoded[at] == 0xFF)
            {
                at++;
            }

            if (at + 3 > encoded.Length)
            {
                throw Truncated();
            }

            var marker = encoded[at];
            if (marker == StartOfScan)
            {
                break;
            }

            progressive |= marker is Progressive or ArithmeticProgressive;
            at++;
            at += marker is 0x01 or >= 0xD0 and <= 0xD8 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(encoded[at..]);
        }

        // Inside the coded data 0xFF is always followed by 0 or a restart marker, so that this is the end of the picture (or, behind
        // it, of another one that a camera appended). The thumbnail, which has an end of its own, comes before.
        var scans = encoded[at..];
        if (scans.LastIndexOf((ReadOnlySpan<byte>)[0xFF, EndOfImage]) < 0)
        {
            throw Truncated();
        }

        if (progressive)
        {
            for (var count = 1; ; count++)
            {
                var next = scans.IndexOf((ReadOnlySpan<byte>)[0xFF, StartOfScan]);
                if (next < 0)
                {
                    return;
                }

                if (count == MostScans)
                {
                    throw new PictureException(PictureFault.Unsupported, $"The JPEG picture has more than {MostScans} scans.");
                }

                scans = scans[(next + 2)..];
            }
        }
    }

    private static PictureException Truncated() => new(PictureFault.Undecodable, "The JPEG picture is truncated.");
}
