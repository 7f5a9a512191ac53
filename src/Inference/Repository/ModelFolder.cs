using System.Globalization;
using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

/// <summary>A model's files as they lie in the folder.</summary>
/// <param name="Path">The graph, or the folder in which it lies.</param>
/// <param name="Stamp">Names, sizes and times of writing.</param>
/// <param name="Problem">What is wrong with where they lie.</param>
internal sealed record ModelFiles(string Path, string Stamp, string? Problem);

/// <summary>The folder of models.</summary>
internal static class ModelFolder
{
    /// <summary>A model's folder may contain other files; changes are noticed in this number of files only.</summary>
    private const int MaxFiles = 1000;

    /// <summary>The files of each model, by its name.</summary>
    public static SortedDictionary<string, ModelFiles> Find(string path)
    {
        var found = new SortedDictionary<string, ModelFiles>(StringComparer.Ordinal);
        var folder = new DirectoryInfo(path);
        foreach (var file in ModelPlace.GraphsIn(folder).OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(file.Name);
            string? hidden = found.TryGetValue(name, out var other)
                ? $"There are both {Path.GetFileName(other.Path)} and {file.Name}; remove or rename one, the second is served."
                : null;
            found[name] = new ModelFiles(file.FullName, StampOf(folder.EnumerateFiles(file.Name + "*")), hidden);
        }

        foreach (var inner in folder.EnumerateDirectories().Where(ModelPlace.IsModel))
        {
            string? hidden = found.TryGetValue(inner.Name, out var other)
                ? $"There are both the folder {inner.Name} and {Path.GetFileName(other.Path)}; remove or rename one, the first is served."
                : null;
            found[inner.Name] = new ModelFiles(inner.FullName, StampOf(inner.EnumerateFiles("*", ModelFile.Inside)), hidden);
        }

        return found;
    }

    /// <summary>As <see cref="Find"/>; nothing when the folder cannot be read.</summary>
    public static SortedDictionary<string, ModelFiles> TryFind(string path)
    {
        try
        {
            return Find(path);
        }
#pragma warning disable CA1031 // The next scan reports it.
        catch (Exception)
#pragma warning restore CA1031
        {
            return [];
        }
    }

    /// <summary>Names, sizes and modification times of files; for links, those of their targets, which are the files that are read.</summary>
    private static string StampOf(IEnumerable<FileInfo> files) => string.Join('|', files
        .Take(MaxFiles)
        .OrderBy(file => file.FullName, StringComparer.Ordinal)
        .Select(StampOf));

    private static string StampOf(FileInfo file)
    {
        try
        {
            var target = file.LinkTarget is null ? file : new FileInfo(PlainFile.RealPath(file.FullName));
            var mode = OperatingSystem.IsWindows() ? default : target.UnixFileMode;
            return string.Create(CultureInfo.InvariantCulture, $"{file.FullName}:{target.FullName}:{target.Length}:{target.LastWriteTimeUtc.Ticks}:{(int)mode}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The file was removed meanwhile, or is a broken link: reading it reports that.
            return file.FullName;
        }
    }
}
