using System.Text.Json.Nodes;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Inspection;

/// <summary>An inspection in progress: what is known so far, and what is missing.</summary>
/// <param name="session">The graph as it is in its file.</param>
/// <param name="named">The file that errors name.</param>
/// <param name="lines">The lines of the manifest. They win over what the graph says.</param>
internal sealed class InspectionDraft(InferenceSession session, string named, JsonObject lines)
{
    /// <summary>The graph as it is in its file.</summary>
    public InferenceSession Session => session;

    /// <summary>The lines of the manifest.</summary>
    public JsonObject Lines => lines;

    /// <summary>The file's custom metadata.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; } = session.ModelMetadata.CustomMetadataMap;

    /// <summary>What was concluded and from what.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>What is not known, each as the manifest line to write.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>Label sets with as many names as the model has classes, when its own names are not known.</summary>
    public IReadOnlyList<string> LabelSets { get; set; } = [];

    /// <summary>The manifest lines that are known from the graph.</summary>
    public JsonObject FromGraph { get; set; } = [];

    /// <summary>What graph and manifest say together.</summary>
    public JsonObject Known => ManifestTree.Merge(FromGraph, lines);

    /// <summary>The value of a text; <see langword="null"/> where there is none.</summary>
    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>An error of what is wrong with the graph or its manifest.</summary>
    public ModelException Fault(string what, Exception? inner = null) => new($"{named}: {what}.", inner);
}
