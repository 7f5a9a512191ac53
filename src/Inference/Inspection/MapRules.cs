using System.Text.Json.Nodes;

namespace Detection.Inference.Inspection;

/// <summary>Outputs of planes [numbers, rows, columns], as convolutions leave them.</summary>
internal static class MapRules
{
    private const int CenterNetStride = 4;

    /// <summary>CenterNet: a heat map, sizes and offsets. Some exports have the sigmoid inside.</summary>
    public static FamilyGuess? CenterNet(OutputShapes shapes)
    {
        if (shapes.Shape("hm") is not [var classes, _, _] heat || !IsMap(shapes, heat, CenterNetStride) || shapes.Shape("wh") is not [2, _, _])
        {
            return null;
        }

        // A heat map of logits is far below 0 nearly everywhere.
        var areScores = shapes.ValuesOf("hm").All(value => value is >= 0 and <= 1);
        return new(
            "centernet",
            classes,
            $"a heat map {(areScores ? "of scores" : "of logits")} and sizes, as CenterNet names them",
            areScores ? new JsonObject { ["head"] = new JsonObject { ["scores"] = "none" } } : null);
    }

    /// <summary>RTMDet: scores and distances of three maps, in one output for each map or in two. What the distances are in, nothing tells.</summary>
    public static FamilyGuess? RtmDet(OutputShapes shapes)
    {
        var planes = shapes.Outputs.Where(o => o.Shape.Length == 3).Select(o => o.Shape).ToList();
        var counts = OutputShapes.ThreeMaps.Select(stride => planes.Where(shape => IsMap(shapes, shape, stride)).Select(shape => shape[0]).Order().ToArray()).ToArray();
        return planes.Count == shapes.Outputs.Count
            && counts.All(count => count.SequenceEqual(counts[0]))
            && planes.Count == counts.Sum(count => count.Length)
            && (counts[0] is [4, _] or [_, 4] || (counts[0] is [> 4 and var joined] && joined - 4 == shapes.Labels))
                ? new(
                    null,
                    null,
                    "write \"family\": \"rtmdet\" and \"head\": { \"decoded\": true } for distances in pixels, as MMDetection's head leaves them, or false for distances in cells, as MMYOLO's")
                : null;
    }

    private static bool IsMap(OutputShapes shapes, int[] shape, int stride) =>
        shape is [_, var rows, var columns] && rows == (shapes.Height + stride - 1) / stride && columns == (shapes.Width + stride - 1) / stride;
}
