namespace Detection.Inference.Heads;

/// <summary>One detection, in pixels of the upright original picture, clipped to it.</summary>
/// <param name="ClassId">Index into the model's labels.</param>
/// <param name="Score">Confidence, 0 to 1.</param>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Top edge.</param>
/// <param name="X2">Right edge.</param>
/// <param name="Y2">Bottom edge.</param>
public readonly record struct ScoredBox(int ClassId, float Score, float X1, float Y1, float X2, float Y2);
