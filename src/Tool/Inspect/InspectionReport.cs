using System.Globalization;
using System.Text.Json.Nodes;
using Detection.Inference.Inspection;
using Detection.Tool.Terminal;

namespace Detection.Tool.Inspect;

/// <summary>The result of an inspection, for people.</summary>
internal static class InspectionReport
{
    private const int MaxValueLength = 100;

    /// <summary>Writes it, a line per fact.</summary>
    public static void Print(ModelInspection inspection, string? warning, Screen screen)
    {
        // The draft has everything that is known, even if the manifest is not complete.
        var known = JsonNode.Parse(inspection.Draft)!.AsObject();
        var input = known["input"] as JsonObject ?? [];
        screen.Line(Fact("model", $"{inspection.Path}, {Size(inspection.Path)}"));
        foreach (var tensor in inspection.Inputs)
        {
            screen.Line(Fact("input", tensor.ToString()));
        }

        foreach (var tensor in inspection.Outputs)
        {
            screen.Line(Fact("output", tensor.ToString()));
        }

        foreach (var (name, value) in inspection.Metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            screen.Line(Fact("metadata", $"{name} = {Shorten(value)}"));
        }

        screen.Line(Fact("family", inspection.Family ?? "not known"));
        screen.Line(Fact("size", $"{Of(input["width"])}×{Of(input["height"])}, {Of(input["resize"])}{Padding(input)}"));
        screen.Line(Fact("layout", $"{Of(input["layout"])}, {Of(input["element"])}, {Of(input["channels"])}, {Batch(inspection, input)}"));
        screen.Line(Fact("values", Values(input)));
        screen.Line(Fact("labels", Labels(known["labels"] as JsonArray, inspection.LabelSets)));
        foreach (var note in inspection.Notes)
        {
            screen.Line(Fact("because", note));
        }

        if (inspection.Missing.Count == 0)
        {
            screen.Line(Fact("missing", "nothing, it can be used as it is"));
        }

        if (warning is not null)
        {
            screen.Warning(Fact("warning", warning));
        }

        foreach (var missing in inspection.Missing)
        {
            screen.Warning(Fact("missing", missing));
        }
    }

    private static string Fact(string what, string text) => $"{what,-9} {text}";

    private static string Of(JsonNode? value) => value switch
    {
        null => "?",
        JsonArray many => $"[{string.Join(", ", many.Select(Of))}]",
        _ => value.ToString(),
    };

    private static string Padding(JsonObject input) => input["resize"]?.ToString() is not { } resize || resize == "stretch" ? ""
        : !input.ContainsKey("padding") ? ""
        : input["padding"] is { } padding ? $", padding {padding}" : ", padding 0 after normalisation";

    private static string Values(JsonObject input)
    {
        var scaled = $"value / {Of(input["scale"])}";
        return input["mean"] is { } mean ? $"({scaled} − {Of(mean)}) / {Of(input["std"])}" : scaled;
    }

    private static string Batch(ModelInspection inspection, JsonObject input)
    {
        var tensor = inspection.Inputs.FirstOrDefault(t => t.Name == input["name"]?.ToString());
        return tensor is null ? "batch ?"
            : int.TryParse(tensor.Dimensions[0], CultureInfo.InvariantCulture, out var batch) ? $"batch {batch} fixed" : "any batch";
    }

    private static string Labels(JsonArray? labels, IReadOnlyList<string> sets) => labels switch
    {
        null => sets.Count > 0 ? $"not known, perhaps {string.Join(" or ", sets)}" : "not known",
        { Count: <= 6 } => $"{labels.Count}: {string.Join(", ", labels)}",
        _ => $"{labels.Count}: {string.Join(", ", labels.Take(4))}, … {labels[^1]}",
    };

    private static string Shorten(string value)
    {
        var line = value.ReplaceLineEndings(" ");
        return line.Length <= MaxValueLength ? line : line[..MaxValueLength] + "…";
    }

    private static string Size(string path) => string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(path).Length / 1e6:0.0} MB");
}
