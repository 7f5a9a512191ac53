using System.Text.Json.Nodes;
using Detection.Inference.Heads;

namespace Detection.Inference.Inspection;

/// <summary>NanoDet, with two outputs, two for each map, or one table; a distance is a distribution over bins.</summary>
internal static class NanoDetRules
{
    private const int PlusBins = 8;

    /// <summary>Bins of a distance in NanoDet's own configurations.</summary>
    private static readonly int[] Bins = [PlusBins, 11];

    /// <summary>
    /// Two outputs: distances are four distributions, and the other output has the scores. Other exports have such tables too (KerasCV's YOLOv8, of 16
    /// bins and normalised inside), so another number of bins than NanoDet's own needs an output that is named after distances.
    /// </summary>
    public static FamilyGuess? Pair(OutputShapes shapes, int[] strides)
    {
        var rows = shapes.Cells(strides);
        return shapes.Tables.Where(o => o.Shape[0] == rows).ToList() is [var a, var b]
            && (AreDistances(b) || shapes.Labels == a.Shape[1] ? (a, b) : AreDistances(a) || shapes.Labels == b.Shape[1] ? (b, a) : default) is ({ Shape: not null } scores, var distances)
            && distances.Shape[1] % 4 == 0
            && (AreDistances(distances) ? distances.Shape[1] >= 8 : Bins.Contains(distances.Shape[1] / 4))
            ? new(
                "nanodet",
                scores.Shape[1],
                $"two outputs of {rows} cells",
                Lines(strides, distances.Shape[1] / 4, 0.5f, new JsonObject { ["scores"] = scores.Name, ["distances"] = distances.Name }))
            : null;
    }

    /// <summary>Separate outputs for the scores and distances of each map.</summary>
    public static FamilyGuess? PerMap(OutputShapes shapes, int[] strides)
    {
        var tables = shapes.Tables;
        if (tables.Count != 2 * strides.Length || !strides.All(s => tables.Count(t => t.Shape[0] == shapes.Cells(s)) == 2))
        {
            return null;
        }

        int[] widths = [.. tables.Select(t => t.Shape[1]).Distinct()];
        if (widths.Length != 2)
        {
            return null;
        }

        foreach (var bins in Bins.Where(bins => widths.Contains(4 * bins)))
        {
            var classes = widths.First(width => width != 4 * bins);
            if (shapes.Labels is null ? !Bins.Contains(classes / 4) || classes % 4 != 0 : shapes.Labels == classes)
            {
                var why = $"two outputs for each of {strides.Length} maps";
                return new(
                    "nanodet",
                    classes,
                    why,
                    Lines(strides, bins, CellOffset(strides)),
                    Others: strides.Length == OutputShapes.FourMaps.Length ? [new("picodet", classes, why, Lines(strides, bins, 0.5f))] : null);
            }
        }

        return null;
    }

    /// <summary>One table with a shape that YOLOX may also have: if the class names are not known, the values decide.</summary>
    public static FamilyGuess? Rows(OutputShapes shapes)
    {
        if (shapes.Table.Shape is not [var rows, var width] || rows != shapes.Cells(OutputShapes.ThreeMaps))
        {
            return null;
        }

        foreach (var bins in Bins)
        {
            var classes = width - (4 * bins);
            if (shapes.Labels == classes || (shapes.Labels is null && classes > 0 && shapes.AreScores(0, classes) && !shapes.AreScores(classes, width)))
            {
                // NanoDet-Plus has four maps as published, and three where somebody trained it so.
                var why = $"one row for each of {rows} cells, scores first";
                return new(
                    "nanodet",
                    classes,
                    $"{why}, as NanoDet",
                    Lines(OutputShapes.ThreeMaps, bins, 0.5f),
                    Others: [new("nanodet", classes, $"{why}, as NanoDet-Plus", Lines(OutputShapes.ThreeMaps, bins, 0))],
                    Question: "write \"family\": \"nanodet\" and \"head\": { \"cellOffset\": 0.5 } for NanoDet, or 0 for NanoDet-Plus, for a known picture shows no difference");
            }
        }

        return null;
    }

    /// <summary>NanoDet-Plus: a table on four maps, which YOLOv6 has too.</summary>
    public static FamilyGuess? PlusRows(OutputShapes shapes)
    {
        const int Distances = 4 * PlusBins;
        return shapes.Table.Shape is [var rows, > Distances and var width]
            && rows == shapes.Cells(OutputShapes.FourMaps)
            && (shapes.Labels is null ? shapes.AreScores(0, width - Distances) && !shapes.AreScores(width - Distances, width) : shapes.Labels == width - Distances)
            ? new(
                "nanodet",
                width - Distances,
                $"one row for each of {rows} cells on four maps, scores first, as NanoDet-Plus",
                Lines(OutputShapes.FourMaps, PlusBins, CellOffset(OutputShapes.FourMaps)))
            : null;
    }

    /// <summary>NanoDet's centres are in the middle of their cells; those of NanoDet-Plus, which has four maps, are at the corner.</summary>
    private static float CellOffset(int[] strides) => strides.Length == OutputShapes.FourMaps.Length ? 0 : 0.5f;

    private static bool AreDistances(in OutputTensor output) => output.Name.Contains("dis", StringComparison.OrdinalIgnoreCase);

    private static JsonObject Lines(int[] strides, int bins, float cellOffset, JsonObject? outputs = null)
    {
        var head = new JsonObject();
        if (outputs is not null)
        {
            head["outputs"] = outputs;
        }

        head["strides"] = new JsonArray([.. strides.Select(s => (JsonNode)s)]);
        head["regMax"] = bins - 1;
        head["cellOffset"] = cellOffset;
        return new JsonObject { ["head"] = head };
    }
}
