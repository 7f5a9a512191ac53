using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Detection.Inference.Graphs;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

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

        try
        {
            var manifest = ReadManifest(path, labels);
            return new ModelSource(name, VersionOf(path, manifest), path, manifest);
        }
#pragma warning disable CA1031 // Whatever a file makes the runtime or a library throw is that model's problem.
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

    /// <summary>Whether a model's files are still those that were read.</summary>
    public static bool IsUnchanged(ModelSource model)
    {
        ArgumentNullException.ThrowIfNull(model);
        try
        {
            return VersionOf(model.Path, model.Manifest) == model.Version;
        }
#pragma warning disable CA1031 // Files that cannot be read any more are not those that were.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    /// <summary>Hash of a graph without its weights: loads that take long do so for what the graph says.</summary>
    /// <exception cref="ModelException">It cannot be read.</exception>
    internal static string GraphHash(string onnx)
    {
        try
        {
            PlainFile.Require(onnx, PlainFile.LargestGraph);
            using var stream = new FileStream(onnx, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
#pragma warning disable CA1031 // Whatever a file makes the runtime or a library throw is that model's problem.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"Model {NameOf(onnx)} cannot be read", e);
        }
    }

    /// <summary>The files of which a graph's numbers come, in order: the graph and the weights beside it that it names.</summary>
    /// <exception cref="ModelException">One of them is no file, too large, or outside of the graph's folder.</exception>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    /// <exception cref="InvalidDataException">The graph is no ONNX file.</exception>
    internal static IReadOnlyList<string> PartsOf(string onnx)
    {
        PlainFile.Require(onnx, PlainFile.LargestGraph);
        string folder = Path.GetDirectoryName(Path.GetFullPath(onnx))!;
        return [onnx, .. OnnxReader.ExternalFiles(onnx).Select(location => WeightsAt(folder, location))];
    }

    /// <summary>Weights are read as the process that serves them may read, so they may lie nowhere but in the model's folder.</summary>
    private static string WeightsAt(string folder, string location)
    {
        string path = Path.GetFullPath(Path.Combine(folder, location));
        if (location.Length == 0
            || Path.IsPathRooted(location)
            || !PlainFile.IsInside(folder, path))
        {
            throw new ModelException($"The graph has weights in \"{location}\", which leads outside of its folder; put that file beside the graph.");
        }

        PlainFile.Require(path, PlainFile.LargestWeights);
        return path;
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

        hash.AppendData(Encoding.UTF8.GetBytes(manifest.ToJson()));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex NamePattern();
}
