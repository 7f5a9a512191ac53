using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Inspection;

/// <summary>Reads the content of a manifest from an ONNX file.</summary>
public static partial class ModelInspector
{
    private static readonly string[] FirstMembers = ["family", "input", "head"];

    /// <summary>Inspects a model: its graph, its metadata and, if it has one, its manifest, whose lines override the information in the graph.</summary>
    /// <param name="onnxPath">The ONNX file.</param>
    /// <param name="manifestPath">Its <c>model.json</c>, complete or with some lines; <see langword="null"/> for none.</param>
    /// <param name="labels">Class names that override those of the manifest and the graph; <see langword="null"/> to use those.</param>
    /// <exception cref="ModelException">
    /// The file cannot be read, is not a detector, or contradicts its manifest; one sentence says what to change. Missing information is not an
    /// exception: it is listed in <see cref="ModelInspection.Missing"/>.
    /// </exception>
    public static ModelInspection Inspect(string onnxPath, string? manifestPath = null, IReadOnlyList<string>? labels = null)
    {
        try
        {
            return InspectFile(onnxPath, manifestPath, labels);
        }
#pragma warning disable CA1031 // A file may make the runtime or a library throw any exception; it becomes a problem of that model.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"{onnxPath}: cannot be used", e);
        }
    }

    private static ModelInspection InspectFile(string onnxPath, string? manifestPath, IReadOnlyList<string>? labels)
    {
        var lines = manifestPath is null ? [] : ManifestReader.Read(manifestPath);
        if (labels is not null)
        {
            lines["labels"] = new JsonArray([.. labels.Select(label => (JsonNode)label)]);
        }

        if (!File.Exists(onnxPath))
        {
            throw new ModelException($"{onnxPath}: no such file; copy the model there.");
        }

        InferenceSession session;
        try
        {
            session = GraphReader.Open(Path.GetFullPath(onnxPath));
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e) when (e is not ModelException)
#pragma warning restore CA1031
        {
            var reason = ModelFault.Reason(e);
            throw new ModelException(
                TensorRtPlugin().Match(reason) is { Success: true, Value: var plugin }
                    ? $"{onnxPath}: its suppression {plugin} is a plugin of TensorRT, which ONNX Runtime does not have; export it without the suppression (without --end2end), or with ONNX's own (YOLOv7: --max-wh 640, YOLOv6: --ort)."
                    : $"{onnxPath}: not an ONNX model that can be loaded ({reason}); export it again.",
                e);
        }

        using (session)
        {
            return Inspect(session, onnxPath, manifestPath ?? onnxPath, lines);
        }
    }

    private static ModelInspection Inspect(InferenceSession session, string path, string named, JsonObject lines)
    {
        var draft = new InspectionDraft(session, named, lines);
        var (inputName, input) = InputReading.Read(draft);
        LabelReading.Read(draft);
        var outputs = FamilyReading.Read(draft, inputName, input);
        var known = draft.Known;

        // Without a size the family could not be found yet, so a missing family is not reported.
        draft.Missing.AddRange(ManifestTree.Missing(known).Where(line =>
            Member(line) == "input" || ((outputs is not null || Member(line) != "family") && !draft.Missing.Any(m => Member(m) == Member(line)))));
        var manifest = draft.Missing.Count == 0 ? ManifestCheck.ToManifest(known, named) : null;
        if (manifest is not null && outputs is not null)
        {
            ManifestCheck.AgainstGraph(manifest, named, InputReading.Element(draft, inputName, input), outputs);
        }

        return new ModelInspection(
            path,
            GraphTensor.AllOf(session.InputMetadata),
            GraphTensor.AllOf(session.OutputMetadata),
            draft.Metadata,
            InspectionDraft.Text(known["family"]),
            draft.Notes,
            draft.Missing,
            manifest,
            manifest?.ToJson() ?? ManifestWriter.ToText(Ordered(known)))
        {
            LabelSets = draft.LabelSets,
        };
    }

    [GeneratedRegex(@"\b\w+NMS\w*_TRT\b")]
    private static partial Regex TensorRtPlugin();

    private static string Member(string line) => line.Split('"')[1];

    /// <summary>The members in the order of a complete manifest.</summary>
    private static JsonObject Ordered(JsonObject known)
    {
        var result = new JsonObject();
        foreach (var name in FirstMembers.Concat(known.Select(m => m.Key)).Distinct().Where(known.ContainsKey))
        {
            result[name] = known[name]?.DeepClone();
        }

        return result;
    }
}
