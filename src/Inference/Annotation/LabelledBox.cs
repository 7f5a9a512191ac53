namespace Detection.Inference.Annotation;

/// <summary>A detection to draw, in pixels of the upright original picture.</summary>
/// <param name="ClassId">Class; decides the colour.</param>
/// <param name="Label">Name of the class.</param>
/// <param name="Score">Confidence, 0 to 1.</param>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Top edge.</param>
/// <param name="X2">Right edge.</param>
/// <param name="Y2">Bottom edge.</param>
public readonly record struct LabelledBox(int ClassId, string Label, float Score, float X1, float Y1, float X2, float Y2);
