using Detection.Inference.Manifest;

namespace Detection.Inference.Inspection;

/// <summary>One way to recognise a family.</summary>
/// <param name="Name">Name of the rule.</param>
/// <param name="Answer">What it says about the outputs; <see langword="null"/> when they are of another form.</param>
internal sealed record FamilyRule(string Name, Func<OutputShapes, FamilyGuess?> Answer);

/// <summary>
/// The rules that recognise the family of a graph by its outputs. The first that answers wins, and their order is part of their meaning: a later
/// rule may also match the outputs of an earlier one.
/// </summary>
internal static class FamilyRules
{
    /// <summary>The rules, in the order in which they are asked.</summary>
    public static IReadOnlyList<FamilyRule> All { get; } =
    [
        // Outputs with names of their own.
        new(nameof(SuppressedRules.TensorFlow), SuppressedRules.TensorFlow),
        new(nameof(SuppressedRules.MmDetection), SuppressedRules.MmDetection),
        new(nameof(SuppressedRules.DetNames), SuppressedRules.DetNames),
        new(nameof(SuppressedRules.MmYolo), SuppressedRules.MmYolo),
        new(nameof(SuppressedRules.YoloNas), SuppressedRules.YoloNas),
        new(nameof(SuppressedRules.BoxesScoresLabels), SuppressedRules.BoxesScoresLabels),
        new(nameof(DetrRules.LogitsAndBoxes), DetrRules.LogitsAndBoxes),
        new(nameof(DetrRules.RfDetr), DetrRules.RfDetr),
        new(nameof(SuppressedRules.PaddleRows), SuppressedRules.PaddleRows),
        new(nameof(SuppressedRules.Yolov7Rows), SuppressedRules.Yolov7Rows),

        // Planes.
        new(nameof(MapRules.CenterNet), MapRules.CenterNet),
        new(nameof(MapRules.RtmDet), MapRules.RtmDet),

        // Tables for each map.
        new(nameof(FaceRules.YuNet), FaceRules.YuNet),
        new(nameof(FaceRules.Scrfd), FaceRules.Scrfd),

        // Several tables.
        new(nameof(GridRules.DecodedTables), GridRules.DecodedTables),
        new(nameof(GridRules.AnchorTables), GridRules.AnchorTables),
        new(nameof(NanoDetRules.Pair), shapes => NanoDetRules.Pair(shapes, OutputShapes.ThreeMaps)),
        new(nameof(NanoDetRules.PerMap), shapes => NanoDetRules.PerMap(shapes, OutputShapes.ThreeMaps)),
        new(nameof(NanoDetRules.Pair), shapes => NanoDetRules.Pair(shapes, OutputShapes.FourMaps)),
        new(nameof(NanoDetRules.PerMap), shapes => NanoDetRules.PerMap(shapes, OutputShapes.FourMaps)),

        // One table: the special forms before the general ones.
        new(nameof(GridRules.DeepStream), GridRules.DeepStream),
        new(nameof(GridRules.DeepStreamOfSeven), GridRules.DeepStreamOfSeven),
        new(nameof(DetrRules.Ultralytics), DetrRules.Ultralytics),
        new(nameof(GridRules.EndToEnd), GridRules.EndToEnd),
        new(nameof(GridRules.AnchorGrid), GridRules.AnchorGrid),
        new(nameof(GridRules.Columns), GridRules.Columns),
        new(nameof(GridRules.RowsOfYolov8), GridRules.RowsOfYolov8),
        new(nameof(NanoDetRules.Rows), NanoDetRules.Rows),
        new(nameof(GridRules.RowsByValues), GridRules.RowsByValues),
        new(nameof(GridRules.RowsOfYolov6), GridRules.RowsOfYolov6),
        new(nameof(NanoDetRules.PlusRows), NanoDetRules.PlusRows),
    ];

    /// <summary>The answer, and the name of the rule that gave it; <see langword="null"/> when none did.</summary>
    public static (string? Rule, FamilyGuess Guess) Ask(OutputShapes shapes)
    {
        foreach (var rule in All)
        {
            if (rule.Answer(shapes) is { } guess)
            {
                return (rule.Name, guess);
            }
        }

        return (null, new FamilyGuess(
            null,
            null,
            $"write \"family\": one of {string.Join(", ", HeadFamilies.Names)} (the outputs {string.Join(", ", shapes.Outputs.Select(o => $"{o.Name} [{string.Join(", ", o.Shape)}]"))} do not tell)"));
    }
}
