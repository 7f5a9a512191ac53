namespace Detection.Objects;

/// <summary>One object in a picture.</summary>
/// <param name="Label">Name of its class.</param>
/// <param name="ClassId">Index of its class in the model's labels.</param>
/// <param name="Score">Confidence, 0 to 1.</param>
/// <param name="X1">Left edge, in pixels of the upright picture.</param>
/// <param name="Y1">Top edge, in pixels.</param>
/// <param name="X2">Right edge, in pixels.</param>
/// <param name="Y2">Bottom edge, in pixels.</param>
public sealed record BoxBody(string Label, int ClassId, float Score, float X1, float Y1, float X2, float Y2);
