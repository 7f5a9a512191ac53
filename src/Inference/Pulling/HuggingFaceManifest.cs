using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Detection.Inference.Pulling;

/// <summary>
/// Lines of a manifest from the files that Hugging Face's transformers read: <c>config.json</c> for the class names, and
/// <c>preprocessor_config.json</c> for the values and the size of the input, as
/// https://github.com/huggingface/transformers/blob/main/src/transformers/image_processing_utils.py uses them.
/// </summary>
internal static partial class HuggingFaceManifest
{
    private const int MaxLabels = 50_000;

    /// <summary>The families of the models whose logits have no names that tell them apart.</summary>
    private static readonly Dictionary<string, string> Families = new(StringComparer.Ordinal)
    {
        ["detr"] = "detr",
        ["table-transformer"] = "detr",
        ["yolos"] = "detr",
        ["rt_detr"] = "rt-detr",
        ["rt_detr_v2"] = "rt-detr",
        ["d_fine"] = "d-fine",
    };

    /// <summary>The lines; <see langword="null"/> when the files say nothing.</summary>
    public static JsonObject? Of(JsonObject? config, JsonObject? preprocessor)
    {
        var manifest = new JsonObject();
        if (Text(config?["model_type"]) is { } type && Families.TryGetValue(type, out var family))
        {
            manifest["family"] = family;
        }

        if (preprocessor is not null)
        {
            manifest["input"] = Input(preprocessor);
        }

        if (Labels(config?["id2label"] as JsonObject) is { } labels)
        {
            manifest["labels"] = labels;
        }

        return manifest.Count > 0 ? manifest : null;
    }

    private static JsonObject Input(JsonObject preprocessor)
    {
        var input = new JsonObject();
        if (IsOn(preprocessor["do_resize"]))
        {
            AddSize(input, preprocessor["size"]);
        }

        var factor = Number(preprocessor["rescale_factor"]) ?? 1 / 255.0;
        input["scale"] = IsOn(preprocessor["do_rescale"]) && factor > 0 ? Math.Round(1 / factor, 3) : 1;
        if (IsOn(preprocessor["do_normalize"]) && Numbers(preprocessor["image_mean"]) is { } mean && Numbers(preprocessor["image_std"]) is { } deviation)
        {
            (input["mean"], input["std"]) = (mean, deviation);
        }
        else
        {
            (input["mean"], input["std"]) = (new JsonArray(0, 0, 0), new JsonArray(1, 1, 1));
        }

        return input;
    }

    /// <summary>A size with one edge keeps the ratio, and the other edge differs from picture to picture. Here it becomes a square.</summary>
    private static void AddSize(JsonObject input, JsonNode? size)
    {
        var (width, height) = size is JsonObject edges
            ? (Number(edges["width"]) ?? Number(edges["shortest_edge"]), Number(edges["height"]) ?? Number(edges["shortest_edge"]))
            : (Number(size), Number(size));
        if (width is >= 8 and <= 8192 && height is >= 8 and <= 8192)
        {
            (input["width"], input["height"], input["resize"]) = ((int)width, (int)height, "stretch");
        }
    }

    private static JsonArray? Labels(JsonObject? names)
    {
        if (names is not { Count: > 0 } || names.All(static name => Unnamed().IsMatch(Text(name.Value) ?? "")))
        {
            return null;
        }

        Dictionary<int, string> known = [];
        foreach (var (number, name) in names)
        {
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= MaxLabels)
            {
                return null;
            }

            known[id] = Text(name) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : "n/a";
        }

        return new JsonArray([.. Enumerable.Range(0, known.Keys.Max() + 1).Select(id => (JsonNode)known.GetValueOrDefault(id, "n/a"))]);
    }

    private static bool IsOn(JsonNode? value) => value is null || value.GetValueKind() != JsonValueKind.False;

    private static string? Text(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static double? Number(JsonNode? value) => value?.GetValueKind() == JsonValueKind.Number ? value.GetValue<double>() : null;

    private static JsonArray? Numbers(JsonNode? value) =>
        value is JsonArray { Count: 3 } list && list.All(static item => Number(item) is not null) ? list.DeepClone().AsArray() : null;

    [GeneratedRegex(@"\ALABEL_[0-9]+\z")]
    private static partial Regex Unnamed();
}
