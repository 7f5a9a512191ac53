using System.Buffers.Binary;
using System.IO.Hashing;

namespace Detection.Testing;

/// <summary>Pictures with faults.</summary>
public static class PictureMutations
{
    // Larger pictures only take longer to send.
    private const int LargestSeed = 250 * 1024;

    private static readonly Lazy<IReadOnlyList<byte[]>> Seeds = new(ReadSeeds);

    /// <summary>One of the pictures of the tests, valid or not.</summary>
    public static byte[] Seed(Random random) => random.Of(Seeds.Value);

    /// <summary>A picture with a fault.</summary>
    public static byte[] Make(Random random)
    {
        var kind = random.Next(1000);
        return kind switch
        {
            < 4 => Bomb(random),
            < 6 => new byte[random.Next(20_971_521, 22_000_000)],
            < 60 => Stub(random),
            < 300 => WithLyingHeader(random, Seed(random)),
            < 400 => OddJpeg(random),
            _ => Enumerable.Range(0, random.Next(1, 4)).Aggregate(Seed(random), (picture, _) => Mutate(random, picture)),
        };
    }

    /// <summary>Changes any bytes.</summary>
    public static byte[] Mutate(Random random, byte[] bytes)
    {
        if (bytes.Length < 2)
        {
            return [.. bytes, (byte)random.Next(256)];
        }

        var copy = (byte[])bytes.Clone();
        var at = random.Next(copy.Length);
        var length = random.Next(1, Math.Min(copy.Length - at, 4096) + 1);
        switch (random.Next(9))
        {
            case 0:
                for (var i = random.Next(1, 65); i > 0; i--)
                {
                    copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
                }

                return copy;
            case 1:
                // Most of the header is in the first bytes.
                for (var i = random.Next(1, 5); i > 0; i--)
                {
                    copy[random.Next(Math.Min(copy.Length, 64))] = random.Of<byte>([0, 1, 0x7F, 0x80, 0xFF, (byte)random.Next(256)]);
                }

                return copy;
            case 2:
                return copy[..at];
            case 3:
                var other = Seed(random);
                var from = random.Next(other.Length + 1);
                return [.. copy[..at], .. other[from..Math.Min(other.Length, from + random.Next(1, 65_536))], .. copy[at..]];
            case 4:
                return [.. copy[..at], .. copy[at..(at + length)], .. copy[at..]];
            case 5:
                return [.. copy[..at], .. copy[(at + length)..]];
            case 6:
                copy.AsSpan(at, length).Clear();
                return copy;
            case 7:
                copy.AsSpan(at, length).Fill(0xFF);
                return copy;
            default:
                random.NextBytes(copy.AsSpan(at, length));
                return copy;
        }
    }

    /// <summary>No bytes, one byte, or only a signature.</summary>
    private static byte[] Stub(Random random)
    {
        byte[] start = random.Of<byte[]>(
        [
            [], [0xFF], [0xFF, 0xD8], [0xFF, 0xD8, 0xFF, 0xDA], [0xFF, 0xD8, 0xFF, 0xC0, 0, 2], [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A],
            [.. "GIF89a"u8], [.. "RIFF\0\0\0\0WEBP"u8], [.. "RIFF"u8, 0xFF, 0xFF, 0xFF, 0xFF, .. "WEBPVP8X"u8], [.. "BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0"u8],
            [.. "\0\0\0 ftypavif"u8], [.. "<svg xmlns='http://www.w3.org/2000/svg'/>"u8], [.. "II*\0"u8],
        ]);
        var rest = new byte[random.Next(2) * random.Next(2000)];
        random.NextBytes(rest);
        return [.. start, .. rest];
    }

    /// <summary>Another size in the header, with a right checksum if the format has one.</summary>
    private static byte[] WithLyingHeader(Random random, byte[] picture)
    {
        var copy = (byte[])picture.Clone();
        var (width, height) = (Size(random), Size(random));
        var bytes = copy.AsSpan();
        if (bytes is [0x89, 0x50, ..] && bytes.Length >= 33)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[16..], width);
            BinaryPrimitives.WriteUInt32BigEndian(bytes[20..], height);
            if (random.Next(4) == 0)
            {
                bytes[random.Next(24, 29)] = (byte)random.Next(20);
            }

            BinaryPrimitives.WriteUInt32BigEndian(bytes[29..], Crc32.HashToUInt32(bytes[12..29]));
        }
        else if (bytes.StartsWith("GIF8"u8) && bytes.Length >= 13)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], (ushort)width);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], (ushort)height);
        }
        else if (bytes.StartsWith("BM"u8) && bytes.Length >= 30)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[18..], width);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[22..], height);
            if (random.Next(3) == 0)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(bytes[28..], random.Of<ushort>([0, 1, 2, 4, 8, 16, 24, 32, 64, ushort.MaxValue]));
            }
        }
        else if (bytes.StartsWith("RIFF"u8) && bytes.Length >= 30)
        {
            var wide = (uint)random.Next(1 << 24) | ((uint)random.Next(1 << 24) << 24);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[(bytes[15] == (byte)'X' ? 24 : 26)..], bytes[15] == (byte)'X' ? wide : (width & 0x3FFF) | ((height & 0x3FFF) << 16));
        }
        else
        {
            for (var at = 2; at + 9 < bytes.Length; at++)
            {
                if (bytes[at] == 0xFF && bytes[at + 1] is 0xC0 or 0xC1 or 0xC2)
                {
                    BinaryPrimitives.WriteUInt16BigEndian(bytes[(at + 5)..], (ushort)height);
                    BinaryPrimitives.WriteUInt16BigEndian(bytes[(at + 7)..], (ushort)width);
                    break;
                }
            }
        }

        return copy;
    }

    private static uint Size(Random random) =>
        random.Of<uint>([0, 1, 2, 7, 255, 320, 4096, 7071, 16_383, 32_767, 65_535, 65_536, int.MaxValue, 0x8000_0000, uint.MaxValue, (uint)random.Next(2000)]);

    /// <summary>A JPEG in a form that few encoders write, or none: other samples, scans, restarts and ends; whole, truncated or mutated.</summary>
    private static byte[] OddJpeg(Random random)
    {
        var jpeg = BlockJpeg.Quadrants(random.Of([16, 97, 192])) with
        {
            Frame = random.Of<byte>([0xC0, 0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF]),
            Precision = random.Of([8, 8, 8, 12, 16]),
            Interleaved = random.OneIn(2),
            RestartInterval = random.Of([0, 0, 1, 7]),
            Sampling = random.OneIn(6) ? [Sampling(random)] : [Sampling(random), Sampling(random), Sampling(random)],
        };
        var encoded = jpeg.Encode();
        return random.Next(5) switch
        {
            0 => encoded[..^2],
            1 => [.. encoded[..^2], .. Seed(random)],
            2 => encoded[..random.Next(encoded.Length)],
            3 => Mutate(random, encoded),
            _ => encoded,
        };
    }

    private static (int Across, int Down) Sampling(Random random) => (random.Next(1, 5), random.Next(1, 5));

    /// <summary>A small file that claims to be large.</summary>
    private static byte[] Bomb(Random random) => random.Next(6) switch
    {
        0 => BlankPictures.Png(7000, 7000, random.Of<byte>([0, 2, 3, 6])),
        1 => BlankPictures.Png(30_000, 30_000, 0),
        2 => BlankPictures.Png(1, 40_000_000, 0),
        3 => BlankPictures.Png(40_000_000, 1, 0),
        4 => BlankPictures.Png(64, 64, 2, ("iCCP", [.. "x\0\0"u8, .. BlankPictures.Zeros(100_000_000)]), ("zTXt", [.. "x\0\0"u8, .. BlankPictures.Zeros(100_000_000)])),
        _ => BlankPictures.Jpeg(7000, 7000, scans: random.Of([90, 1000])),
    };

    private static List<byte[]> ReadSeeds()
    {
        var folder = Path.Combine(Repository.Root, "tests", "pictures");
        return [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(static path => Path.GetExtension(path) is ".jpg" or ".png" or ".webp" or ".gif" or ".bmp" or ".tiff")
            .Where(static path => new FileInfo(path).Length is > 0 and <= LargestSeed)
            .Order(StringComparer.Ordinal)
            .Select(File.ReadAllBytes)];
    }
}
