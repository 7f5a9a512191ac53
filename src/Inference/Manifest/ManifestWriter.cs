using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Detection.Inference.Manifest;

/// <summary>Writes the text of <c>model.json</c>.</summary>
internal static class ManifestWriter
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = ManifestJsonContext.Default,
    };

    /// <summary>Indented text, lists of numbers on one line.</summary>
    public static string ToText(JsonObject manifest)
    {
        var text = new StringBuilder();
        Write(text, manifest, 0);
        return text.Append('\n').ToString();
    }

    private static void Write(StringBuilder text, JsonObject tree, int depth)
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

    private static void WriteList(StringBuilder text, JsonArray list, string indent)
    {
        // Eighty class names on one line are not readable, and one per line fills the screen: ten per line.
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
