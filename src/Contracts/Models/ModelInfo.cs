namespace Detection.Contracts.Models;

/// <summary>A model that the cluster serves.</summary>
/// <param name="Name">Name that requests use.</param>
/// <param name="Version">First 12 hex digits of the SHA-256 over its files.</param>
/// <param name="Family">Family of its head, for example <c>nanodet</c>.</param>
/// <param name="InputWidth">Width of its input, in pixels.</param>
/// <param name="InputHeight">Height of its input, in pixels.</param>
/// <param name="Labels">Class names; a class id is an index into them.</param>
/// <param name="ScoreFloor">Boxes below this score are not kept, 0 to 1.</param>
/// <param name="Threshold">Threshold of a request that names none, 0 to 1.</param>
/// <param name="Iou">Overlap at which non-max suppression drops the weaker box, 0 to 1.</param>
public sealed record ModelInfo(
    string Name,
    string Version,
    string Family,
    int InputWidth,
    int InputHeight,
    IReadOnlyList<string> Labels,
    float ScoreFloor,
    float Threshold,
    float Iou)
{
    /// <summary>The full name, <c>name@version</c>: the identity used in queues, caches and grain keys.</summary>
    public string Id => $"{Name}@{Version}";
}
