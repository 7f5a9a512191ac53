using System.Globalization;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Manifest;

/// <summary>Checks the values of a manifest.</summary>
internal static class ManifestValidation
{
    /// <summary>ImageNet's largest set has 21,843.</summary>
    private const int MaxLabels = 50_000;

    private const int MaxLabelLength = 200;

    private static readonly Rule[] Rules =
    [
        new("family", m => HeadFamilies.Names.Contains(m.Family), m => m.Family, $"one of {string.Join(", ", HeadFamilies.Names)}"),
        new("labels", m => m.Labels.Count > 0, _ => "empty", "the names of the model's classes, at least one"),
        new("labels", m => m.Labels.Count <= MaxLabels, m => $"a list of {m.Labels.Count} names", $"at most {MaxLabels}"),
        new("labels", m => m.Labels.All(l => !string.IsNullOrWhiteSpace(l)), _ => "a list with an empty name", "a name for each class"),
        new(
            "labels",
            m => m.Labels.All(l => l.Length <= MaxLabelLength && !l.Any(char.IsControl)),
            _ => $"a list with a name of more than {MaxLabelLength} characters, or of characters that cannot be printed",
            "shorter names: they are part of every answer"),
        new("scoreFloor", m => m.ScoreFloor is >= 0 and <= 1, m => m.ScoreFloor, "a number from 0 to 1, for example \"scoreFloor\": 0.05"),
        new("threshold", m => m.Threshold is >= 0 and <= 1, m => m.Threshold, "a number from 0 to 1, for example \"threshold\": 0.4"),
        new("threshold", m => m.Threshold >= m.ScoreFloor, m => m.Threshold, "a number not below \"scoreFloor\", for boxes below that are never kept"),
        new("iou", m => m.Iou is > 0 and <= 1, m => m.Iou, "a number above 0 and up to 1, for example \"iou\": 0.6"),
        new("maxBoxes", m => m.MaxBoxes is >= 1 and <= 10_000, m => m.MaxBoxes, "a whole number from 1 to 10000, for example \"maxBoxes\": 300"),
        new("input.width", m => m.Input.Width is >= 8 and <= 8192, m => m.Input.Width, "the input's width in pixels, 8 to 8192"),
        new("input.height", m => m.Input.Height is >= 8 and <= 8192, m => m.Input.Height, "the input's height in pixels, 8 to 8192"),
        new("input.scale", m => float.IsFinite(m.Input.Scale) && m.Input.Scale > 0, m => m.Input.Scale, "a number above 0: 255 for values from 0 to 1, 1 for 0 to 255"),
        new("input.padding", m => m.Input.Padding is null or (>= 0 and <= 255), m => m.Input.Padding, "an 8-bit channel value from 0 to 255, or null for 0 after normalisation"),
        new("input.mean", m => m.Input.Mean.Count == 3 && m.Input.Mean.All(float.IsFinite), _ => "not three numbers", "one number per channel, for example \"mean\": [0, 0, 0]"),
        new("input.std", m => m.Input.Std.Count == 3 && m.Input.Std.All(s => float.IsFinite(s) && s > 0), _ => "not three numbers above 0", "one number per channel, for example \"std\": [1, 1, 1]"),
        new(
            "input.element",
            m => m.Input.Element != TensorElement.UInt8 || (m.Input.Scale == 1 && m.Input.Mean.All(mean => mean == 0) && m.Input.Std.All(std => std == 1)),
            _ => "uint8 together with a normalisation",
            "\"scale\": 1, \"mean\": [0, 0, 0], \"std\": [1, 1, 1] beside it"),
    ];

    /// <summary>Checks a manifest, in the order of its lines.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="path">Name of the file for errors.</param>
    /// <exception cref="ModelException">A value is wrong; the message says what to write.</exception>
    public static void Check(ModelManifest manifest, string path)
    {
        if (Array.Find(Rules, rule => !rule.IsRight(manifest)) is { } broken)
        {
            throw new ModelException(string.Create(
                CultureInfo.InvariantCulture, $"{path}: \"{broken.Member}\" is {broken.Value(manifest) ?? "null"}; write {broken.Write}."));
        }
    }

    /// <summary>A rule for a value.</summary>
    /// <param name="Member">Its line.</param>
    /// <param name="IsRight">Whether the value is valid.</param>
    /// <param name="Value">The value as errors show it.</param>
    /// <param name="Write">What to write instead.</param>
    private sealed record Rule(string Member, Func<ModelManifest, bool> IsRight, Func<ModelManifest, object?> Value, string Write);
}
