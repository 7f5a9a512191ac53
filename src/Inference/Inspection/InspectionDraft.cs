using System.Text.Json.Nodes;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Inspection;

/// <summary>An inspection in progress: what is known so far, and what is missing.</summary>
/// <param name="session">The unchanged graph in the file.</param>
/// <param name="named">The file that errors name.</param>
/// <param name="lines">The lines of the manifest. They override the information in the graph.</param>
internal sealed class InspectionDraft(InferenceSession session, string named, JsonObject lines)
{
    /// <summary>The unchanged graph in the file.</summary>
    public InferenceSession Session => session;

    /// <summary>The file that errors name.</summary>
    public string Named => named;

    /// <summary>The lines of the manifest.</summary>
    public JsonObject Lines => lines;

    /// <summary>The file's custom metadata.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; } = session.ModelMetadata.CustomMetadataMap;

    /// <summary>Conclusions and their basis.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Missing information, as manifest lines to write.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>Label sets with as many names as the model has classes, when its own names are not known.</summary>
    public IReadOnlyList<string> LabelSets { get; set; } = [];

    /// <summary>The manifest lines that are known from the graph.</summary>
    public JsonObject FromGraph { get; set; } = [];

    /// <summary>The combined information of the graph and the manifest.</summary>
    public JsonObject Known => ManifestTree.Merge(FromGraph, lines);

    /// <summary>The value of a text; <see langword="null"/> when there is none.</summary>
    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>An exception for a fault of the graph or its manifest.</summary>
    public ModelException Fault(string what, Exception? inner = null) => new($"{named}: {what}.", inner);
}
