using System.Text.Json;
using System.Text.Json.Nodes;
using Detection.Inference.Labels;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Manifest;

/// <summary>A manifest as a tree of its lines, some of which may be missing.</summary>
internal static class ManifestTree
{
    /// <summary>The manifest as a tree, with every setting.</summary>
    public static JsonObject Of(ModelManifest manifest)
    {
        var tree = JsonSerializer.SerializeToNode(manifest, ManifestJsonContext.Default.ModelManifest)!.AsObject();
        if (tree["input"] is JsonObject input && input["name"] is null)
        {
            input.Remove("name");
        }

        return tree;
    }

    /// <summary>A copy of <paramref name="defaults"/> in which the members of <paramref name="lines"/> replace those of the same name. Nested objects are merged, too.</summary>
    public static JsonObject Merge(JsonObject defaults, JsonObject lines)
    {
        var result = defaults.DeepClone().AsObject();
        foreach (var (name, value) in lines)
        {
            result[name] = value is JsonObject inner && result[name] is JsonObject existing && name != "outputs"
                ? Merge(existing, inner)
                : value?.DeepClone();
        }

        return result;
    }

    /// <summary>Required lines that are missing, each as an instruction.</summary>
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
            yield return $"write \"labels\": a list of class names in the order of the model's class numbers, the name of a text file beside the manifest with one name a line, or a label set: {string.Join(", ", LabelSets.Names)}";
        }
    }

    /// <summary>Names of the settings that are set.</summary>
    public static IEnumerable<string> SettingsOf(HeadOptions? head) =>
        head is null ? [] : JsonSerializer.SerializeToNode(head, ManifestJsonContext.Default.HeadOptions)!.AsObject().Select(m => m.Key);

    /// <summary>The default values of optional lines.</summary>
    public static JsonObject Defaults()
    {
        var defaults = Of(new ModelManifest { Family = "", Input = new InputSpec { Width = 1, Height = 1 }, Labels = [] });
        defaults.Remove("family");
        defaults.Remove("labels");
        var input = defaults["input"]!.AsObject();
        input.Remove("width");
        input.Remove("height");
        return defaults;
    }
}
