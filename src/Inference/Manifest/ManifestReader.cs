using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Detection.Inference.Labels;

namespace Detection.Inference.Manifest;

/// <summary>
/// Reads <c>model.json</c> as a tree first, so that errors can name the line, and so that the lines of the file can override the information in the graph.
/// </summary>
internal static class ManifestReader
{
    private static readonly JsonDocumentOptions Lenient = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        AllowDuplicateProperties = false,
    };

    /// <summary>Reads the file; a label file or a label set that it names is read too.</summary>
    public static JsonObject Read(string path)
    {
        JsonNode? node;
        try
        {
            PlainFile.Require(path, PlainFile.MaxTextBytes);
            if (!PlainFile.IsInside(Path.GetDirectoryName(Path.GetFullPath(path))!, path))
            {
                // Its labels and settings are published with the model.
                throw new ModelException($"{path}: is a link that leads outside of its folder; put the file itself there.");
            }

            node = JsonNode.Parse(File.ReadAllText(path), documentOptions: Lenient);
        }
        catch (JsonException e)
        {
            throw new ModelException($"{path}: not valid JSON: {FirstSentence(e.Message)}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path}: cannot be read: {e.Message}", e);
        }

        if (node is not JsonObject manifest)
        {
            throw new ModelException($"{path}: a manifest is a JSON object, write {{ \"family\": … }}.");
        }

        if (manifest["labels"] is JsonValue value && value.TryGetValue<string>(out var file))
        {
            manifest["labels"] = ReadLabels(path, file);
        }

        foreach (var member in new[] { "input", "head" })
        {
            if (manifest[member] is not (null or JsonObject))
            {
                throw new ModelException($"{path}: \"{member}\" has a value of the wrong kind; write \"{member}\": {{ … }}.");
            }
        }

        RefuseUnknown(manifest, path);
        return manifest;
    }

    /// <summary>Checks everything except the settings of the family, and creates the manifest.</summary>
    /// <param name="manifest">The tree.</param>
    /// <param name="path">Name of the file for errors.</param>
    public static ModelManifest ToManifest(JsonObject manifest, string path)
    {
        RefuseUnknown(manifest, path);

        // The serializer sets every init-only member of a record, so missing members would lose their defaults.
        var complete = ManifestTree.Merge(ManifestTree.Defaults(), manifest);
        foreach (var line in ManifestTree.Missing(complete))
        {
            throw new ModelException($"{path}: {line}.");
        }

        ModelManifest result;
        try
        {
            result = complete.Deserialize(ManifestJsonContext.Default.ModelManifest)!;
        }
        catch (JsonException e)
        {
            var member = e.Path is { Length: > 2 } at ? at[2..] : "family";
            throw new ModelException($"{path}: \"{member}\" has a value of the wrong kind{Example(member)}.", e);
        }

        ManifestValidation.Check(result, path);
        return result;
    }

    private static JsonArray ReadLabels(string path, string file)
    {
        var folder = Path.GetFullPath(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (file.Length == 0 || Path.GetFileName(file) != file)
        {
            throw new ModelException($"{path}: \"labels\" names \"{file}\"; write a list of names, the name of a file in the same folder, or a label set: {string.Join(", ", LabelSets.Names)}.");
        }

        // The file belongs to the model, so it overrides a set with the same name.
        var beside = new FileInfo(Path.Combine(folder, file));
        if (beside is { Exists: false, LinkTarget: null } && LabelSets.Find(file) is { } set)
        {
            return ToArray(set);
        }

        string[] lines;
        try
        {
            string names = Path.Combine(folder, file);
            if (!PlainFile.IsInside(folder, names))
            {
                // Its lines are published with the model.
                throw new ModelException($"{path}: the label file \"{file}\" is a link that leads outside of the model's folder; put the file itself beside the manifest.");
            }

            PlainFile.Require(names, PlainFile.MaxTextBytes);
            lines = File.ReadAllLines(names);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException(
                $"{path}: the label file \"{file}\" cannot be read; put it beside the manifest, write \"labels\" as a list, or name a label set: {string.Join(", ", LabelSets.Names)}.", e);
        }

        return ToArray(lines.Select(l => l.Trim()).Where(l => l.Length > 0));
    }

    private static JsonArray ToArray(IEnumerable<string> names) => new([.. names.Select(name => (JsonNode)name)]);

    private static void RefuseUnknown(JsonObject manifest, string path)
    {
        RefuseUnknown(manifest, "", ManifestJsonContext.Default.ModelManifest, path);
        if (manifest["input"] is JsonObject input)
        {
            RefuseUnknown(input, "input.", ManifestJsonContext.Default.InputSpec, path);
        }

        if (manifest["head"] is JsonObject head)
        {
            RefuseUnknown(head, "head.", ManifestJsonContext.Default.HeadOptions, path);
        }
    }

    private static void RefuseUnknown(JsonObject tree, string prefix, JsonTypeInfo type, string path)
    {
        foreach (var (name, _) in tree)
        {
            if (!type.Properties.Any(p => p.Name == name))
            {
                throw new ModelException(
                    $"{path}: \"{prefix}{name}\" is not a setting; known here are {string.Join(", ", type.Properties.Select(p => p.Name))}.");
            }
        }
    }

    private static string Example(string member) => member switch
    {
        "labels" or _ when member.StartsWith("labels", StringComparison.Ordinal) => "; write a list of names, for example \"labels\": [\"person\", \"car\"]",
        "input.resize" => "; write one of stretch, letterboxCenter, letterboxTopLeft",
        "input.channels" => "; write rgb or bgr",
        "input.layout" => "; write nchw or nhwc",
        "input.element" => "; write one of float32, float16, uint8",
        "head.scores" => "; write one of none, sigmoid, softmax",
        "head.background" => "; write one of none, first, last",
        "head.boxFormat" => "; write one of x1y1x2y2, y1x1y2x2, cxcywh",
        "head.boxUnit" => "; write pixels or fraction",
        "input" => "; write \"input\": { \"width\": 640, \"height\": 640 }",
        _ => "",
    };

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(". ", StringComparison.Ordinal);
        var line = message.LastIndexOf("LineNumber: ", StringComparison.Ordinal);
        var sentence = end < 0 ? message : message[..(end + 1)];
        return line >= 0 && int.TryParse(message[(line + 12)..].Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var zeroBased)
            ? $"line {zeroBased + 1}: {sentence}"
            : sentence;
    }
}
