using System.Globalization;
using Detection.Inference.Pictures;
using Detection.Objects;

namespace Detection.Tool.Pictures;

/// <summary>Finds and reads picture files.</summary>
internal static class PictureFiles
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"];

    /// <summary>The pictures of a folder, selected by file name extension, in the order of their names.</summary>
    public static IEnumerable<PictureSource> InFolder(string folder, bool recursive) => Directory
        .EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = recursive, IgnoreInaccessible = true })
        .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
        .Order(StringComparer.Ordinal)
        .Select(Of);

    /// <summary>A picture file with any name.</summary>
    public static PictureSource Of(string path) => new(path, cancellationToken => ReadAsync(path, cancellationToken));

    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw new FileNotFoundException("there is no such file");
        }

        var most = new PictureLimits().MaxBytes;
        return file.Length <= most
            ? await File.ReadAllBytesAsync(path, cancellationToken)
            : throw new PictureException(
                FailureReason.TooLarge,
                string.Create(CultureInfo.InvariantCulture, $"The picture has {file.Length} bytes; at most {most} are allowed."));
    }
}
