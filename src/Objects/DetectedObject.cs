using System.Runtime.InteropServices;

namespace Detection.Objects;

/// <summary>
/// One object in a picture, the same value from the model's head to the answer. In Redis and between processes it is stored as its 24 bytes
/// (<c>PackedResult</c>); what other tasks add to it (a mask, keypoints, an angle) is stored separately.
/// </summary>
/// <param name="ClassId">Index into the model's labels.</param>
/// <param name="Score">Confidence, 0 to 1.</param>
/// <param name="X1">Left edge, in pixels of the upright original picture, 0 to its width.</param>
/// <param name="Y1">Top edge, in pixels, 0 to the picture's height.</param>
/// <param name="X2">Right edge, in pixels.</param>
/// <param name="Y2">Bottom edge, in pixels.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public readonly record struct DetectedObject(int ClassId, float Score, float X1, float Y1, float X2, float Y2)
{
    /// <summary>Name of its class.</summary>
    /// <param name="labels">The labels of the model that found it.</param>
    public string LabelIn(IReadOnlyList<string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return ClassId < labels.Count ? labels[ClassId] : $"class {ClassId}";
    }

    /// <summary>The object as it is written in JSON.</summary>
    /// <param name="labels">The labels of the model that found it.</param>
    public BoxBody ToBody(IReadOnlyList<string> labels) => new(LabelIn(labels), ClassId, Score, X1, Y1, X2, Y2);
}
