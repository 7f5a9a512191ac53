using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Detection.Testing;

/// <summary>Real photos for tests, and any number of different ones without the cost of encoding.</summary>
public static class TestPictures
{
    private static readonly Lazy<IReadOnlyList<string>> AllPaths = new(Find);
    private static readonly Lazy<IReadOnlyList<byte[]>> Photos = new(ReadPhotos);

    /// <summary>
    /// Paths of all photos: those directly in <c>tests/pictures</c> and in its <c>jpeg</c> (its <c>edge</c> holds odd and damaged
    /// pictures) and, where present, all of <c>../shared/images</c>; in a stable order, those of the repository first.
    /// </summary>
    public static IReadOnlyList<string> Paths => AllPaths.Value;

    /// <summary>The path of a picture of <c>tests/pictures</c>.</summary>
    /// <exception cref="FileNotFoundException">There is no picture with this name.</exception>
    public static string Path(string name)
    {
        var path = System.IO.Path.Combine(Repository.Root, "tests", "pictures", name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"No picture '{name}' in tests/pictures.", path);
    }

    /// <summary>
    /// A JPEG photo whose bytes, and so whose image key, belong to <paramref name="seed"/> alone. The pixels are those of a real
    /// photo: a comment segment that decoders skip makes the difference. Up to 256 KB.
    /// </summary>
    /// <remarks>Photos are taken in turn: seeds that differ by a multiple of <see cref="PhotoCount"/> show the same pixels.</remarks>
    public static byte[] Unique(int seed)
    {
        var photos = Photos.Value;
        var photo = photos[(int)((uint)seed % (uint)photos.Count)];
        var comment = Encoding.ASCII.GetBytes($"detection test picture {seed}");
        // FF D8 (start of image), then FF FE, big-endian length of itself and the text, the text, then the rest of the photo.
        var unique = new byte[photo.Length + 4 + comment.Length];
        photo.AsSpan(0, 2).CopyTo(unique);
        unique[2] = 0xFF;
        unique[3] = 0xFE;
        BinaryPrimitives.WriteUInt16BigEndian(unique.AsSpan(4), (ushort)(comment.Length + 2));
        comment.CopyTo(unique.AsSpan(6));
        photo.AsSpan(2).CopyTo(unique.AsSpan(6 + comment.Length));
        return unique;
    }

    /// <summary>The same, with more comment segments up to at least <paramref name="leastBytes"/>: large to send, quick to decode.</summary>
    public static byte[] Unique(int seed, int leastBytes)
    {
        const int Segment = 65_535;
        var picture = Unique(seed);
        var segments = Math.Max(0, leastBytes - picture.Length + Segment + 1) / (Segment + 2);
        var padded = new byte[picture.Length + (segments * (Segment + 2))];
        picture.AsSpan(0, 2).CopyTo(padded);
        for (var i = 0; i < segments; i++)
        {
            var at = 2 + (i * (Segment + 2));
            padded[at] = 0xFF;
            padded[at + 1] = 0xFE;
            BinaryPrimitives.WriteUInt16BigEndian(padded.AsSpan(at + 2), Segment);
        }

        picture.AsSpan(2).CopyTo(padded.AsSpan(2 + (segments * (Segment + 2))));
        return padded;
    }

    /// <summary>Number of photos that <see cref="Unique(int)"/> uses in turn.</summary>
    public static int PhotoCount => Photos.Value.Count;

    /// <summary>SHA-256 of the encoded picture in lower-case hex: the image key.</summary>
    public static string ImageKey(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static List<string> Find()
    {
        var own = System.IO.Path.Combine(Repository.Root, "tests", "pictures");
        return [.. Files(own, SearchOption.TopDirectoryOnly)
            .Concat(Files(System.IO.Path.Combine(own, "jpeg"), SearchOption.TopDirectoryOnly))
            .Concat(Files(SharedFiles.Find("images"), SearchOption.AllDirectories))
            .Where(path => System.IO.Path.GetExtension(path).ToUpperInvariant() is ".JPG" or ".JPEG" or ".PNG" or ".WEBP" or ".GIF" or ".BMP")];
    }

    private static IEnumerable<string> Files(string? folder, SearchOption depth) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", depth).Order(StringComparer.Ordinal) : [];

    private static List<byte[]> ReadPhotos()
    {
        const int Enough = 32;
        const int LargestBytes = 256 * 1024;
        List<byte[]> photos = [.. Paths
            .Where(path => System.IO.Path.GetExtension(path).ToUpperInvariant() is ".JPG" or ".JPEG")
            .Where(path => new FileInfo(path).Length <= LargestBytes)
            .Select(File.ReadAllBytes)
            .Where(bytes => bytes is [0xFF, 0xD8, 0xFF, ..])
            .Take(Enough)];
        return photos.Count > 0
            ? photos
            : throw new FileNotFoundException($"No JPEG photo of at most {LargestBytes / 1024} KB in tests/pictures or ../shared/images.");
    }
}
