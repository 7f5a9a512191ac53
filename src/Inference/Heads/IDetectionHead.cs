using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>Turns the output tensors of one model family into boxes. Stateless and safe for concurrent use.</summary>
public interface IDetectionHead
{
    /// <summary>
    /// Adds the boxes of one picture to <paramref name="boxes"/>: in pixels of the original picture, clipped to it,
    /// suppressed where the family needs it, highest score first.
    /// </summary>
    void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes);
}

/// <summary>One output of one picture.</summary>
/// <param name="Name">Name of the output in the graph.</param>
/// <param name="Shape">Its shape, without the batch dimension.</param>
/// <param name="Data">Its values, row-major, converted to 32-bit floating point if they have another type.</param>
public readonly record struct OutputTensor(string Name, int[] Shape, ReadOnlyMemory<float> Data);

/// <summary>Limits of the boxes that a head returns.</summary>
/// <param name="ScoreFloor">Lowest score, 0 to 1.</param>
/// <param name="Iou">Overlap at which non-max suppression drops the weaker box, 0 to 1.</param>
/// <param name="MaxBoxes">Maximum number of boxes, highest scores first.</param>
public readonly record struct HeadSettings(float ScoreFloor, float Iou, int MaxBoxes);
