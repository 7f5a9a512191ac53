using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Manifest;

/// <summary>
/// <c>model.json</c> as text and as an object. Read as a tree first, so that a mistake is named by its line's name and so that
/// what the graph says can be laid under what the file says.
/// </summary>
internal static class ManifestJson
{
    /// <summary>ImageNet's largest set has 21,843.</summary>
    private const int MostLabels = 50_000;

    private const int LongestLabel = 200;

    private static readonly JsonDocumentOptions Lenient = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        AllowDuplicateProperties = false,
    };

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = ManifestJsonContext.Default,
    };

    /// <summary>Reads the file; a label file it names is read too.</summary>
    public static JsonObject Read(string path)
    {
        JsonNode? node;
        try
        {
            PlainFile.Require(path, PlainFile.LargestText);
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

    /// <summary>Checks everything but the settings of the family, and makes the manifest.</summary>
    /// <param name="manifest">The tree.</param>
    /// <param name="path">Named in errors.</param>
    public static ModelManifest ToManifest(JsonObject manifest, string path)
    {
        RefuseUnknown(manifest, path);

        // The serializer sets every member of a record with init-only members: absent ones would lose their defaults.
        var complete = Over(Defaults(), manifest);
        foreach (var line in Missing(complete))
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

        Validate(result, path);
        return result;
    }

    /// <summary>The manifest as a tree, with every setting.</summary>
    public static JsonObject ToObject(ModelManifest manifest)
    {
        var tree = JsonSerializer.SerializeToNode(manifest, ManifestJsonContext.Default.ModelManifest)!.AsObject();
        if (tree["input"] is JsonObject input && input["name"] is null)
        {
            input.Remove("name");
        }

        return tree;
    }

    /// <summary>Indented text, lists of numbers on one line.</summary>
    public static string ToText(JsonObject manifest)
    {
        var text = new System.Text.StringBuilder();
        Write(text, manifest, 0);
        return text.Append('\n').ToString();
    }

    /// <summary>A copy of <paramref name="under"/> in which <paramref name="over"/>'s members win, objects joined member by member.</summary>
    public static JsonObject Over(JsonObject under, JsonObject over)
    {
        var result = under.DeepClone().AsObject();
        foreach (var (name, value) in over)
        {
            result[name] = value is JsonObject inner && result[name] is JsonObject existing && name != "outputs"
                ? Over(existing, inner)
                : value?.DeepClone();
        }

        return result;
    }

    /// <summary>The lines without which nothing can be loaded and that are not there, each as an instruction.</summary>
    public static IEnumerable<string> Missing(JsonObject manifest)
    {
        if (manifest["family"] is null)
        {
            yield return $"write \"family\": one of {string.Join(", ", HeadFamilies.Names)}";
        }

        if (manifest["input"] is not JsonObject input || input["width"] is null || input["height"] is null)
        {
            yield return "write \"input\": { \"width\": …, \"height\": … } with the input's size in pixels, for example \"width\": 640, \"height\": 640";
        }

        if (manifest["labels"] is null)
        {
            yield return "write \"labels\": a list of class names in the order of the model's class numbers, or the name of a text file beside the manifest with one name a line";
        }
    }

    /// <summary>Names of the settings that are given.</summary>
    public static IEnumerable<string> SettingsOf(HeadOptions? head) =>
        head is null ? [] : JsonSerializer.SerializeToNode(head, ManifestJsonContext.Default.HeadOptions)!.AsObject().Select(m => m.Key);

    private static JsonObject Defaults()
    {
        var defaults = ToObject(new ModelManifest { Family = "", Input = new InputSpec { Width = 1, Height = 1 }, Labels = [] });
        defaults.Remove("family");
        defaults.Remove("labels");
        var input = defaults["input"]!.AsObject();
        input.Remove("width");
        input.Remove("height");
        return defaults;
    }

    private static JsonArray ReadLabels(string path, string file)
    {
        var folder = Path.GetFullPath(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (file.Length == 0 || Path.GetFileName(file) != file)
        {
            throw new ModelException($"{path}: \"labels\" names \"{file}\"; write a list of names, or the name of a file in the same folder.");
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

            PlainFile.Require(names, PlainFile.LargestText);
            lines = File.ReadAllLines(names);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path}: the label file \"{file}\" cannot be read; put it beside the manifest or write \"labels\" as a list.", e);
        }

        return new JsonArray([.. lines.Select(l => l.Trim()).Where(l => l.Length > 0).Select(l => (JsonNode)l)]);
    }

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

    private static void Validate(ModelManifest manifest, string path)
    {
        void Require(bool right, string member, object? value, string write)
        {
            if (!right)
            {
                throw new ModelException(string.Create(CultureInfo.InvariantCulture, $"{path}: \"{member}\" is {value ?? "null"}; write {write}."));
            }
        }

        Require(
            HeadFamilies.Names.Contains(manifest.Family),
            "family",
            manifest.Family,
            $"one of {string.Join(", ", HeadFamilies.Names)}");
        Require(manifest.Labels.Count > 0, "labels", "empty", "the names of the model's classes, at least one");
        Require(manifest.Labels.Count <= MostLabels, "labels", $"a list of {manifest.Labels.Count} names", $"at most {MostLabels}");
        Require(manifest.Labels.All(l => !string.IsNullOrWhiteSpace(l)), "labels", "a list with an empty name", "a name for each class");
        Require(
            manifest.Labels.All(l => l.Length <= LongestLabel && !l.Any(char.IsControl)),
            "labels",
            $"a list with a name of more than {LongestLabel} characters, or of characters that cannot be printed",
            "shorter names: they are part of every answer");
        Require(manifest.ScoreFloor is >= 0 and <= 1, "scoreFloor", manifest.ScoreFloor, "a number from 0 to 1, for example \"scoreFloor\": 0.05");
        Require(manifest.Threshold is >= 0 and <= 1, "threshold", manifest.Threshold, "a number from 0 to 1, for example \"threshold\": 0.4");
        Require(
            manifest.Threshold >= manifest.ScoreFloor,
            "threshold",
            manifest.Threshold,
            "a number not below \"scoreFloor\", for boxes below that are never kept");
        Require(manifest.Iou is > 0 and <= 1, "iou", manifest.Iou, "a number above 0 and up to 1, for example \"iou\": 0.6");
        Require(manifest.MaxBoxes is >= 1 and <= 10_000, "maxBoxes", manifest.MaxBoxes, "a whole number from 1 to 10000, for example \"maxBoxes\": 300");

        var input = manifest.Input;
        Require(input.Width is >= 8 and <= 8192, "input.width", input.Width, "the input's width in pixels, 8 to 8192");
        Require(input.Height is >= 8 and <= 8192, "input.height", input.Height, "the input's height in pixels, 8 to 8192");
        Require(float.IsFinite(input.Scale) && input.Scale > 0, "input.scale", input.Scale, "a number above 0: 255 for values from 0 to 1, 1 for 0 to 255");
        Require(input.Padding is null or (>= 0 and <= 255), "input.padding", input.Padding, "a grey level from 0 to 255, or null for 0 after normalisation");
        Require(input.Mean.Count == 3 && input.Mean.All(float.IsFinite), "input.mean", "not three numbers", "one number per channel, for example \"mean\": [0, 0, 0]");
        Require(
            input.Std.Count == 3 && input.Std.All(s => float.IsFinite(s) && s > 0),
            "input.std",
            "not three numbers above 0",
            "one number per channel, for example \"std\": [1, 1, 1]");
        if (input.Element == TensorElement.UInt8)
        {
            Require(
                input.Scale == 1 && input.Mean.All(m => m == 0) && input.Std.All(s => s == 1),
                "input.element",
                "uint8 together with a normalisation",
                "\"scale\": 1, \"mean\": [0, 0, 0], \"std\": [1, 1, 1] beside it");
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

    private static void Write(System.Text.StringBuilder text, JsonObject tree, int depth)
    {
        var indent = new string(' ', 2 * (depth + 1));
        text.Append('{');
        var first = true;
        foreach (var (name, value) in tree)
        {
            text.Append(first ? "\n" : ",\n").Append(indent).Append(JsonSerializer.Serialize(name, ManifestJsonContext.Default.String)).Append(": ");
            first = false;
            if (value is JsonObject inner)
            {
                Write(text, inner, depth + 1);
            }
            else if (value is JsonArray list)
            {
                WriteList(text, list, indent);
            }
            else
            {
                text.Append(value?.ToJsonString(Indented) ?? "null");
            }
        }

        text.Append('\n').Append(indent, 0, 2 * depth).Append('}');
    }

    private static void WriteList(System.Text.StringBuilder text, JsonArray list, string indent)
    {
        // Eighty class names on one line cannot be read, one a line fills the screen: ten a line.
        const int PerLine = 10;
        var wrap = list.Count > PerLine;
        text.Append('[');
        for (var i = 0; i < list.Count; i++)
        {
            text.Append(i == 0 ? "" : ",");
            text.Append(wrap && i % PerLine == 0 ? $"\n{indent}  " : i == 0 ? "" : " ");
            text.Append(list[i]?.ToJsonString(new JsonSerializerOptions(Indented) { WriteIndented = false }) ?? "null");
        }

        text.Append(wrap ? $"\n{indent}]" : "]");
    }
}

/// <summary>Enum values in lower case: <c>float32</c>, <c>uint8</c>, <c>cxcywh</c>.</summary>
internal sealed class LowerCase : JsonNamingPolicy
{
    public override string ConvertName(string name) => name.ToLowerInvariant();
}

/// <summary>Enum values by name, in lower case.</summary>
internal sealed class LowerCaseEnum<T>() : JsonStringEnumConverter<T>(new LowerCase(), allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>Enum values by name, in camel case.</summary>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    Converters =
    [
        typeof(CamelCaseEnum<ResizeMode>), typeof(LowerCaseEnum<ChannelOrder>), typeof(LowerCaseEnum<TensorLayout>),
        typeof(LowerCaseEnum<TensorElement>), typeof(LowerCaseEnum<ScoreActivation>), typeof(LowerCaseEnum<BackgroundClass>),
        typeof(LowerCaseEnum<BoxFormat>), typeof(LowerCaseEnum<BoxUnit>),
    ])]
[JsonSerializable(typeof(ModelManifest))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
