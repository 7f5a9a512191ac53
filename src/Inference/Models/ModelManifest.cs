namespace Detection.Inference.Models;

/// <summary>How to feed a model and how to read it: <c>model.json</c>.</summary>
public sealed record ModelManifest
{
    /// <summary>Family of the head, for example <c>nanodet</c>.</summary>
    public required string Family { get; init; }

    /// <summary>Class names; a class id is an index into them.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>Boxes below this score are not kept, 0 to 1.</summary>
    public float ScoreFloor { get; init; } = 0.05f;

    /// <summary>Threshold of a request that names none, 0 to 1.</summary>
    public float Threshold { get; init; } = 0.4f;

    /// <summary>Overlap at which non-max suppression drops the weaker box, 0 to 1.</summary>
    public float Iou { get; init; } = 0.6f;
}
