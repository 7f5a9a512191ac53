using System.Globalization;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Inspection;

/// <summary>An input or output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Element">Type of its values, as ONNX Runtime names it.</param>
/// <param name="Dimensions">Its dimensions: numbers, or the names of free ones (<c>?</c> without a name).</param>
public sealed record GraphTensor(string Name, string Element, IReadOnlyList<string> Dimensions)
{
    /// <summary>The inputs, or the outputs, of a graph.</summary>
    internal static List<GraphTensor> AllOf(IReadOnlyDictionary<string, NodeMetadata> all) =>
    [
        .. all.Select(t => new GraphTensor(
            t.Key,
            t.Value.IsTensor ? t.Value.ElementDataType.ToString() : t.Value.OnnxValueType.ToString(),
            t.Value.IsTensor ? [.. t.Value.Dimensions.Select((d, i) => Dimension(d, t.Value.SymbolicDimensions[i]))] : [])),
    ];

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Element} [{string.Join(", ", Dimensions)}]";

    private static string Dimension(int value, string name) =>
        value >= 0 ? value.ToString(CultureInfo.InvariantCulture) : string.IsNullOrEmpty(name) ? "?" : name;
}

/// <summary>What is known about a model.</summary>
/// <param name="Path">The ONNX file.</param>
/// <param name="Inputs">The graph's inputs.</param>
/// <param name="Outputs">The graph's outputs.</param>
/// <param name="Metadata">The file's custom metadata.</param>
/// <param name="Family">The family, when the manifest names it or the graph shows it.</param>
/// <param name="Notes">Conclusions and what they are based on, for people.</param>
/// <param name="Missing">Missing information, as manifest lines to write; empty when the model can be used.</param>
/// <param name="Manifest">The complete manifest; <see langword="null"/> while something is missing.</param>
/// <param name="Draft">Text of a <c>model.json</c> with everything that is known.</param>
public sealed record ModelInspection(
    string Path,
    IReadOnlyList<GraphTensor> Inputs,
    IReadOnlyList<GraphTensor> Outputs,
    IReadOnlyDictionary<string, string> Metadata,
    string? Family,
    IReadOnlyList<string> Notes,
    IReadOnlyList<string> Missing,
    ModelManifest? Manifest,
    string Draft)
{
    /// <summary>Label sets with as many names as the model has classes, when its own names are not known. It may have been trained on other classes.</summary>
    public IReadOnlyList<string> LabelSets { get; init; } = [];

    /// <summary>The manifest.</summary>
    /// <exception cref="ModelException">Something is missing; one sentence names every line to write.</exception>
    public ModelManifest Require() =>
        Manifest ?? throw new ModelException($"The graph {Path} does not have all that its manifest needs. In its model.json, {string.Join("; ", Missing)}.");
}
