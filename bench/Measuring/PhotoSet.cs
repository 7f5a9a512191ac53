using System.Buffers.Binary;
using System.Text;

namespace Detection.Bench.Measuring;

/// <summary>JPEG photos in memory, the same for all compared programs.</summary>
public sealed class PhotoSet
{
    /// <summary>Maximum number of photos of a set, in the order of their names.</summary>
    public const int Most = 256;

    private static readonly byte[] CommentMarker = [0xFF, 0xFE];

    private PhotoSet(string folder, IReadOnlyList<byte[]> photos) => (Folder, Photos) = (folder, photos);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The files.</summary>
    public IReadOnlyList<byte[]> Photos { get; }

    /// <summary>Mean size of a file in bytes.</summary>
    public double MeanBytes => Photos.Average(photo => (double)photo.Length);

    /// <summary>
    /// Reads the JPEG files of a folder and of the folders in it.
    /// </summary>
    /// <param name="folder">
    /// The folder; without one, <c>../shared/images</c> beside the repository, or <c>tests/pictures/jpeg</c> when that does not exist.
    /// </param>
    /// <exception cref="FileNotFoundException">The folder has no JPEG files.</exception>
    public static PhotoSet Read(string? folder)
    {
        folder ??= Default();
        IReadOnlyList<byte[]> photos = [.. Directory.EnumerateFiles(folder, "*.jp*g", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Take(Most)
            .Select(File.ReadAllBytes)
            .Where(bytes => bytes is [0xFF, 0xD8, 0xFF, ..])];
        return photos.Count > 0 ? new PhotoSet(folder, photos) : throw new FileNotFoundException($"No JPEG photo in {folder}.");
    }

    /// <summary>
    /// The bytes before <c>photo[2..]</c> that make it another file with the same pixels: start of image, then a comment that
    /// decoders skip.
    /// </summary>
    /// <param name="comment">ASCII, at most 65,533 characters.</param>
    public static byte[] Prefix(string comment)
    {
        ArgumentNullException.ThrowIfNull(comment);
        var prefix = new byte[6 + comment.Length];
        prefix[0] = 0xFF;
        prefix[1] = 0xD8;
        CommentMarker.CopyTo(prefix, 2);
        BinaryPrimitives.WriteUInt16BigEndian(prefix.AsSpan(4), (ushort)(comment.Length + 2));
        Encoding.ASCII.GetBytes(comment, prefix.AsSpan(6));
        return prefix;
    }

    /// <summary>The folder with <c>Detection.sln</c>.</summary>
    /// <exception cref="DirectoryNotFoundException">The program is not in a repository.</exception>
    public static string Checkout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Detection.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No Detection.sln above {AppContext.BaseDirectory}; name a folder.");
    }

    private static string Default()
    {
        var shared = Path.Combine(Checkout(), "..", "shared", "images");
        return Path.GetFullPath(Directory.Exists(shared) ? shared : Path.Combine(Checkout(), "tests", "pictures", "jpeg"));
    }
}
