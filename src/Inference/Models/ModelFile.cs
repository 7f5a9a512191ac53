using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Detection.Inference.Models;

/// <summary>Reads one model from its files.</summary>
public static partial class ModelFile
{
    /// <summary>
    /// Whether a name can be asked for: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>, up to 64, the first a letter or digit.
    /// </summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>
    /// Reads <c>NAME/model.onnx</c> with <c>NAME/model.json</c>, or <c>NAME.onnx</c>.
    /// </summary>
    /// <param name="path">The ONNX file, or the folder of a <c>model.onnx</c>.</param>
    /// <param name="labels">Class names that win over those of the manifest and the graph; <see langword="null"/> for those.</param>
    /// <exception cref="ModelException">It cannot be read; the message says what to do.</exception>
    public static ModelSource Read(string path, IReadOnlyList<string>? labels = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = Path.GetFullPath(path);
        if (Directory.Exists(path))
        {
            path = Path.Combine(path, OnnxName);
        }

        string name = NameOf(path);
        if (!IsName(name))
        {
            throw new ModelException(
                $"\"{name}\" cannot be the name of a model; rename it to letters, digits, '.', '_' and '-', 64 at most.");
        }

        var manifest = ReadManifest(path, labels);
        return new ModelSource(name, VersionOf(path, manifest), path, manifest);
    }

    /// <summary>All files of a folder but hidden ones.</summary>
    internal static readonly EnumerationOptions Inside = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden };

    /// <summary>The file that holds a model in a folder of its own.</summary>
    internal const string OnnxName = "model.onnx";

    /// <summary>The manifest beside it.</summary>
    internal const string ManifestName = "model.json";

    /// <summary>Name of a model by its ONNX file: that of its folder for <c>model.onnx</c>, else of the file.</summary>
    public static string NameOf(string onnx) => Path.GetFileName(onnx) == OnnxName
        ? Path.GetFileName(Path.GetDirectoryName(onnx)!)
        : Path.GetFileNameWithoutExtension(onnx);

    /// <summary>Whether a model's files are still those that were read.</summary>
    public static bool IsUnchanged(ModelSource model)
    {
        ArgumentNullException.ThrowIfNull(model);
        try
        {
            return VersionOf(model.Path, model.Manifest) == model.Version;
        }
        catch (ModelException)
        {
            return false;
        }
    }

    /// <summary>
    /// The files of which a graph's numbers come, in order: the graph and its weights beside it. Those are named after a file alone; in a
    /// folder of its own they may have any name, and the graph says it.
    /// </summary>
    internal static IEnumerable<string> PartsOf(string onnx)
    {
        string folder = Path.GetDirectoryName(onnx)!;
        if (Path.GetFileName(onnx) != OnnxName)
        {
            return Directory.EnumerateFiles(folder, Path.GetFileName(onnx) + "*").Order(StringComparer.Ordinal);
        }

        var others = Directory.EnumerateFiles(folder, "*", Inside)
            .Where(file => file != onnx && Path.GetExtension(file) is not (".json" or ".md" or ".txt"))
            .Order(StringComparer.Ordinal)
            .ToList();
        byte[] graph = others.Count > 0 ? File.ReadAllBytes(onnx) : [];
        return others.Where(file => HasWeightsIn(graph, Path.GetRelativePath(folder, file).Replace('\\', '/'))).Prepend(onnx);
    }

    /// <summary>Looks for the entry of external_data in the protocol buffer: key <c>location</c>, value the file.</summary>
    private static bool HasWeightsIn(ReadOnlySpan<byte> graph, string file)
    {
        byte[] name = Encoding.UTF8.GetBytes(file);
        return name.Length > 127 || graph.IndexOf([.. "\n\blocation\u0012"u8, (byte)name.Length, .. name]) >= 0;
    }

    /// <summary>What the manifest says, and what it leaves out from the graph; the outputs are checked against it.</summary>
    private static ModelManifest ReadManifest(string onnx, IReadOnlyList<string>? labels)
    {
        string manifest = Path.Combine(Path.GetDirectoryName(onnx)!, ManifestName);
        bool bare = Path.GetFileName(onnx) != OnnxName;
        var inspection = ModelInspector.Inspect(onnx, !bare && File.Exists(manifest) ? manifest : null, labels);
        return bare && inspection.Missing.Count > 0
            ? throw new ModelException(
                $"{onnx} does not tell all that is needed: lay it as {NameOf(onnx)}/{OnnxName} and in a {ManifestName} beside it, {string.Join("; ", inspection.Missing)}.")
            : inspection.Require();
    }

    /// <summary>
    /// Hashed is the manifest as it is understood, not its text: that holds for the label file that it names and for what was
    /// read from the graph, so that a result is never told by the rules of another version of this program.
    /// </summary>
    private static string VersionOf(string onnx, ModelManifest manifest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            byte[] buffer = new byte[64 * 1024];
            foreach (string file in PartsOf(onnx))
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
                int read;
                while ((read = stream.Read(buffer)) > 0)
                {
                    hash.AppendData(buffer, 0, read);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"Model {NameOf(onnx)} cannot be read: {e.Message}", e);
        }

        hash.AppendData(Encoding.UTF8.GetBytes(manifest.ToJson()));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex NamePattern();
}
