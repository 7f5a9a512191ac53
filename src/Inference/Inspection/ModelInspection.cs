using Detection.Inference.Manifest;

namespace Detection.Inference.Inspection;

/// <summary>An input or output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Element">Type of its values, as ONNX Runtime names it.</param>
/// <param name="Dimensions">Its dimensions: numbers, or the names of free ones (<c>?</c> without a name).</param>
public sealed record GraphTensor(string Name, string Element, IReadOnlyList<string> Dimensions)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Element} [{string.Join(", ", Dimensions)}]";
}

/// <summary>What could be told about a model.</summary>
/// <param name="Path">The ONNX file.</param>
/// <param name="Inputs">The graph's inputs.</param>
/// <param name="Outputs">The graph's outputs.</param>
/// <param name="Metadata">The file's custom metadata.</param>
/// <param name="Family">The family, when the manifest or the graph tells it.</param>
/// <param name="Notes">What was concluded and from what, for people.</param>
/// <param name="Missing">What could not be told, each as the manifest line to write; empty when the model can be used.</param>
/// <param name="Manifest">The whole manifest; <see langword="null"/> while something is missing.</param>
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
    /// <summary>The manifest.</summary>
    /// <exception cref="ModelException">Something is missing; one sentence names every line to write.</exception>
    public ModelManifest Require() =>
        Manifest ?? throw new ModelException($"{Path} does not tell all that is needed: in its model.json, {string.Join("; ", Missing)}.");
}
