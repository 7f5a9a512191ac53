using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Detection.Inference.Graphs;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

/// <summary>Reads one model from its files.</summary>
public static partial class ModelFile
{
    /// <summary>What the whole name of a model matches.</summary>
    internal const string NamePattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";

    /// <summary>
    /// Whether a name can be asked for: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>, up to 64, the first a letter or digit.
    /// </summary>
    public static bool IsName(string name) => Name().IsMatch(name);

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

        try
        {
            var manifest = ReadManifest(path, labels);
            return new ModelSource(name, ModelVersion.Of(path, manifest), path, manifest);
        }
#pragma warning disable CA1031 // A file may make the runtime or a library throw any exception; it becomes a problem of that model.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"Model {name} cannot be read", e);
        }
    }

    /// <summary>The files of a model's folder but hidden ones. A link to a folder above would otherwise be followed for ever.</summary>
    internal static readonly EnumerationOptions Inside = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 3,
        AttributesToSkip = FileAttributes.Hidden,
    };

    /// <summary>The file that holds a model in a folder of its own.</summary>
    internal const string OnnxName = "model.onnx";

    /// <summary>The manifest beside it.</summary>
    internal const string ManifestName = "model.json";

    /// <summary>Name of a model by its ONNX file: that of its folder for <c>model.onnx</c>, else of the file.</summary>
    public static string NameOf(string onnx) => Path.GetFileName(onnx) == OnnxName
        ? Path.GetFileName(Path.GetDirectoryName(onnx)!)
        : Path.GetFileNameWithoutExtension(onnx);

    /// <summary>Hash of a graph without its weights: loads that take long do so for what the graph says.</summary>
    /// <exception cref="ModelException">It cannot be read.</exception>
    internal static string GraphHash(string onnx)
    {
        try
        {
            PlainFile.Require(onnx, PlainFile.MaxGraphBytes);
            using var stream = new FileStream(onnx, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
#pragma warning disable CA1031 // A file may make the runtime or a library throw any exception; it becomes a problem of that model.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"Model {NameOf(onnx)} cannot be read", e);
        }
    }

    /// <summary>What the manifest says, and what it leaves out from the graph; the outputs are checked against it.</summary>
    private static ModelManifest ReadManifest(string onnx, IReadOnlyList<string>? labels)
    {
        string manifest = Path.Combine(Path.GetDirectoryName(onnx)!, ManifestName);
        bool bare = Path.GetFileName(onnx) != OnnxName;
        var inspection = ModelInspector.Inspect(onnx, !bare && File.Exists(manifest) ? manifest : null, labels);
        return bare && inspection.Missing.Count > 0
            ? throw new ModelException(
                $"{onnx} needs a manifest. Move it to {NameOf(onnx)}/{OnnxName} and add {NameOf(onnx)}/{ManifestName}: {string.Join("; ", inspection.Missing)}.")
            : inspection.Require();
    }

    [GeneratedRegex($@"\A{NamePattern}\z")]
    private static partial Regex Name();
}
