using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Detection.Inference.Graphs;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

/// <summary>Reads one model from its files.</summary>
public static partial class ModelFile
{
    /// <summary>Pattern of a whole model name.</summary>
    internal const string NamePattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";

    /// <summary>Whether a name is valid: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>, up to 64, the first a letter or digit.</summary>
    public static bool IsName(string name) => Name().IsMatch(name);

    /// <summary>
    /// Reads <c>NAME/model.onnx</c>, or the only graph in <c>NAME</c>, with <c>NAME/model.json</c>; or <c>NAME.onnx</c>.
    /// </summary>
    /// <param name="path">The ONNX file, or the folder of the model.</param>
    /// <param name="labels">Class names that override those of the manifest and the graph; <see langword="null"/> to use those.</param>
    /// <exception cref="ModelException">It cannot be read; the message says what to do.</exception>
    public static ModelSource Read(string path, IReadOnlyList<string>? labels = null)
    {
        var place = ModelPlace.Of(path);
        if (!IsName(place.Name))
        {
            throw new ModelException(
                $"\"{place.Name}\" cannot be the name of a model; rename it to letters, digits, '.', '_' and '-', 64 at most.");
        }

        try
        {
            var manifest = ReadManifest(place, labels);
            return new ModelSource(place.Name, ModelVersion.Of(place.Onnx, manifest), place.Onnx, manifest);
        }
#pragma warning disable CA1031 // A file may make the runtime or a library throw any exception; it becomes a problem of that model.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"Model {place.Name} cannot be read", e);
        }
    }

    /// <summary>The files of a model's folder, except hidden ones. A link to a parent folder would otherwise be followed for ever.</summary>
    internal static readonly EnumerationOptions Inside = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 3,
        AttributesToSkip = FileAttributes.Hidden,
    };

    /// <summary>Hash of a graph without its weights: only the graph makes a load slow.</summary>
    /// <exception cref="ModelException">It cannot be read.</exception>
    internal static string GraphHash(ModelPlace place)
    {
        try
        {
            PlainFile.Require(place.Onnx, PlainFile.MaxGraphBytes);
            using var stream = new FileStream(place.Onnx, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
#pragma warning disable CA1031 // A file may make the runtime or a library throw any exception; it becomes a problem of that model.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"Model {place.Name} cannot be read", e);
        }
    }

    /// <summary>What the manifest says, and what it leaves out from the graph; the outputs are checked against it.</summary>
    private static ModelManifest ReadManifest(ModelPlace place, IReadOnlyList<string>? labels)
    {
        var inspection = ModelInspector.Inspect(place.Onnx, !place.IsBare && File.Exists(place.Manifest) ? place.Manifest : null, labels);
        return place.IsBare && inspection.Missing.Count > 0
            ? throw new ModelException(
                $"{place.Onnx} needs a manifest. Move it to {place.Name}/{ModelPlace.OnnxName} and add {place.Name}/{Path.GetFileName(place.Manifest)}: {string.Join("; ", inspection.Missing)}.")
            : inspection.Require();
    }

    [GeneratedRegex($@"\A{NamePattern}\z")]
    private static partial Regex Name();
}
