using System.Text.Json.Nodes;
using Detection.Inference.Heads;

namespace Detection.Inference.Inspection;

/// <summary>Detectors of faces: tables for each map, usually with one class.</summary>
internal static class FaceRules
{
    private static readonly int[] FiveMaps = [8, 16, 32, 64, 128];

    public static FamilyGuess? YuNet(OutputShapes shapes)
    {
        var classes = shapes.Shape("cls_8")?.LastOrDefault() ?? 0;
        return classes > 0 && OutputShapes.ThreeMaps.All(s => Has(s, "cls", classes) && Has(s, "obj", 1) && Has(s, "bbox", 4))
            ? Guess(shapes, "yunet", classes, "outputs cls, obj and bbox of each map, as YuNet names them")
            : null;

        bool Has(int stride, string name, int numbers) => shapes.Shape($"{name}_{stride}") is [var rows, var n] && rows == shapes.Cells(stride) && n == numbers;
    }

    /// <summary>Two boxes in each cell of three maps, or one in each of five.</summary>
    public static FamilyGuess? Scrfd(OutputShapes shapes) => Scrfd(shapes, OutputShapes.ThreeMaps, 2) ?? Scrfd(shapes, FiveMaps, 1);

    private static FamilyGuess? Scrfd(OutputShapes shapes, int[] strides, int anchors)
    {
        int? classes = null;
        foreach (var stride in strides)
        {
            // Five points of a face may stand beside.
            var widths = Tables(stride).Select(o => o.Shape[1]).Where(width => width != 10).Order().ToArray();
            if (widths is not [var first, 4] || first != (classes ?? first))
            {
                return null;
            }

            classes = first;
        }

        return classes is { } found && (found == 1 || found == shapes.Labels)
            ? Guess(
                shapes,
                "scrfd",
                found,
                $"scores and distances of {(anchors == 1 ? "one box" : "two boxes")} in each cell of {strides.Length} maps",
                anchors == 1 ? new JsonObject { ["head"] = new JsonObject { ["strides"] = new JsonArray([.. strides.Select(s => (JsonNode)s)]) } } : null)
            : null;

        IEnumerable<OutputTensor> Tables(int stride) => shapes.Tables.Where(o => o.Shape[0] == anchors * shapes.Cells(stride));
    }

    private static FamilyGuess Guess(OutputShapes shapes, string family, int classes, string why, JsonObject? lines = null)
    {
        if (classes > 1 || shapes.Labels is not null)
        {
            return new(family, classes, why, lines);
        }

        lines ??= [];
        lines["labels"] = new JsonArray("face");
        return new(family, null, why, lines);
    }
}
