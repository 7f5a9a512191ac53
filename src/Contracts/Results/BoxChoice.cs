namespace Detection.Contracts.Results;

/// <summary>What a caller wants of a result. It is applied at reading, so that one cached result serves everybody.</summary>
/// <param name="Threshold">Lowest score of a box, 0 to 1.</param>
/// <param name="Most">Most boxes, the best first; <see langword="null"/> for all.</param>
/// <param name="Labels">Labels to take, ignoring case; <see langword="null"/> or empty for all.</param>
[GenerateSerializer, Immutable, Alias("detection.BoxChoice")]
public sealed record BoxChoice(
    [property: Id(0)] float Threshold,
    [property: Id(1)] int? Most = null,
    [property: Id(2)] IReadOnlyCollection<string>? Labels = null)
{
    /// <summary>The chosen boxes with their labels, highest score first.</summary>
    /// <param name="boxes">The boxes of a result.</param>
    /// <param name="names">The model's labels.</param>
    public IEnumerable<(string Label, DetectedBox Box)> Of(DetectedBox[] boxes, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(boxes);
        ArgumentNullException.ThrowIfNull(names);
        return Choose(boxes, names);
    }

    private IEnumerable<(string Label, DetectedBox Box)> Choose(DetectedBox[] boxes, IReadOnlyList<string> names)
    {
        var labels = Labels is { Count: > 0 } wanted ? wanted.ToHashSet(StringComparer.OrdinalIgnoreCase) : null;
        var left = Most ?? int.MaxValue;
        foreach (var box in boxes)
        {
            if (left == 0 || box.Score < Threshold)
            {
                yield break;
            }

            var label = box.ClassId < names.Count ? names[box.ClassId] : $"class {box.ClassId}";
            if (labels is null || labels.Contains(label))
            {
                left--;
                yield return (label, box);
            }
        }
    }
}
