using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

/// <summary>Where the files of a model are.</summary>
/// <param name="Name">The model's name: that of its folder or, of a file without one, that of the file.</param>
/// <param name="Onnx">The graph.</param>
/// <param name="Manifest">Where its manifest belongs.</param>
/// <param name="IsBare">Whether the graph lies beside other models and not in a folder of its own, so that it has no manifest yet.</param>
public sealed record ModelPlace(string Name, string Onnx, string Manifest, bool IsBare)
{
    /// <summary>The graph of a folder, whatever other graphs are there.</summary>
    internal const string OnnxName = "model.onnx";

    private const string ManifestName = "model.json";

    /// <summary>
    /// Graphs end so in lower or upper case. Nothing is skipped: what has that name and is no file is a problem that must be named.
    /// </summary>
    private static readonly EnumerationOptions AnyCase = new() { MatchCasing = MatchCasing.CaseInsensitive, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    /// <summary>The place of a graph, or of the graph in a folder.</summary>
    /// <param name="path">The ONNX file, or the folder that holds <c>model.onnx</c> or a single graph of another name.</param>
    /// <exception cref="ModelException">The folder has several graphs, of which none is <c>model.onnx</c>.</exception>
    public static ModelPlace Of(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Directory.Exists(path))
        {
            return InFolder(path, GraphIn(path));
        }

        var folder = Path.GetDirectoryName(path)!;
        var name = Path.GetFileNameWithoutExtension(path);
        return Path.GetFileName(path) == OnnxName ? InFolder(folder, path) : new ModelPlace(name, path, Path.Combine(folder, name, ManifestName), true);
    }

    /// <summary>The graphs that lie in a folder.</summary>
    internal static IEnumerable<FileInfo> GraphsIn(DirectoryInfo folder) => folder.EnumerateFiles("*.onnx", AnyCase);

    /// <summary>Whether a folder is that of a model.</summary>
    internal static bool IsModel(DirectoryInfo folder)
    {
        if (new FileInfo(Path.Combine(folder.FullName, OnnxName)) is { Exists: true } or { LinkTarget: not null })
        {
            return true;
        }

        try
        {
            // Kubernetes keeps the files of a volume in such folders, and links to them.
            return !folder.Name.StartsWith('.') && GraphsIn(folder).Any();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            // Not for this process, as lost+found, or gone meanwhile.
            return false;
        }
    }

    private static ModelPlace InFolder(string folder, string onnx) =>
        new(Path.GetFileName(folder), onnx, Path.Combine(folder, ManifestName), false);

    private static string GraphIn(string folder)
    {
        var usual = Path.Combine(folder, OnnxName);
        if (new FileInfo(usual) is { Exists: true } or { LinkTarget: not null })
        {
            return usual;
        }

        string[] graphs = [.. GraphsIn(new DirectoryInfo(folder)).Select(graph => graph.Name).Order(StringComparer.Ordinal)];
        return graphs switch
        {
            [] => usual,
            [var only] => Path.Combine(folder, only),
            _ => throw new ModelException(
                $"The folder {Path.GetFileName(folder)} has {graphs.Length} graphs ({string.Join(", ", graphs.Take(3))}{(graphs.Length > 3 ? ", …" : "")}) and none of them is {OnnxName}; rename the one to serve, or move each to a folder of its own."),
        };
    }
}
