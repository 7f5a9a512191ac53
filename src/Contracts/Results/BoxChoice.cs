using Detection.Objects;

namespace Detection.Contracts.Results;

/// <summary>
/// The objects of a result that a caller wants. The choice is applied when the result is read, so that one cached result serves all callers.
/// </summary>
/// <param name="Threshold">Lowest score of a box, 0 to 1.</param>
/// <param name="Most">Maximum number of boxes, highest scores first; <see langword="null"/> for all.</param>
/// <param name="Labels">Labels to return, ignoring case; <see langword="null"/> or empty for all.</param>
[GenerateSerializer, Immutable, Alias("detection.BoxChoice")]
public sealed record BoxChoice(
    [property: Id(0)] float Threshold,
    [property: Id(1)] int? Most = null,
    [property: Id(2)] IReadOnlyCollection<string>? Labels = null)
{
    /// <summary>The chosen objects, highest score first.</summary>
    /// <param name="boxes">The objects of a result, highest score first.</param>
    /// <param name="labels">The model's labels.</param>
    public IReadOnlyList<DetectedObject> Of(DetectedObject[] boxes, IReadOnlyList<string> labels)
    {
        var chosen = boxes.TakeWhile(box => box.Score >= Threshold);
        if (Labels is { Count: > 0 })
        {
            var wanted = Labels.ToHashSet(StringComparer.OrdinalIgnoreCase);
            chosen = chosen.Where(box => wanted.Contains(box.LabelIn(labels)));
        }

        return [.. chosen.Take(Most ?? int.MaxValue)];
    }
}
