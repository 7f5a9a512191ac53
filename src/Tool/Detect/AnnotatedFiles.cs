using Detection.Inference.Annotation;
using Detection.Inference.Pictures;
using Detection.Objects;
using Detection.Tool.Pictures;

namespace Detection.Tool.Detect;

/// <summary>Writes annotated pictures into a folder, each with a unique name.</summary>
internal sealed class AnnotatedFiles
{
    private readonly string _folder;
    private readonly Dictionary<PictureSource, string> _files = [];

    /// <param name="folder">The folder, which is created if missing.</param>
    /// <param name="pictures">The pictures, which are never overwritten.</param>
    public AnnotatedFiles(string folder, IEnumerable<PictureSource> pictures)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        var all = pictures.ToList();
        var taken = all
            .Where(picture => !PictureDownload.IsUrl(picture.Name))
            .Select(picture => Path.GetFullPath(picture.Name))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var picture in all)
        {
            var stem = StemOf(picture.Name);
            var file = Path.Combine(_folder, stem + ".jpg");
            for (var number = 2; !taken.Add(file); number++)
            {
                file = Path.Combine(_folder, $"{stem}-{number}.jpg");
            }

            _files[picture] = file;
        }
    }

    /// <summary>Draws the boxes into a picture and writes it.</summary>
    /// <returns>The file.</returns>
    /// <exception cref="PictureException">The picture cannot be decoded.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public string Write(PictureSource picture, byte[] encoded, IReadOnlyList<DetectedObject> boxes, IReadOnlyList<string> labels)
    {
        var jpeg = PictureAnnotator.Annotate(encoded, new PictureLimits(), boxes, labels);
        var file = _files[picture];
        File.WriteAllBytes(file, jpeg);
        return file;
    }

    private static string StemOf(string name)
    {
        var last = PictureDownload.IsUrl(name) ? Uri.UnescapeDataString(new Uri(name).Segments[^1]) : name;
        var stem = Path.GetFileNameWithoutExtension(last);
        stem = string.Concat(stem.Where(c => !Path.GetInvalidFileNameChars().Contains(c)));
        return stem.Length is > 0 and <= 200 ? stem : "picture";
    }
}
