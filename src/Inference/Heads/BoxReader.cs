using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>Reads four numbers of a graph as a box in pixels of the input.</summary>
internal sealed class BoxReader(BoxFormat format, BoxUnit unit, InputSpec input)
{
    private readonly float _unitX = unit == BoxUnit.Fraction ? input.Width : 1;
    private readonly float _unitY = unit == BoxUnit.Fraction ? input.Height : 1;

    public DetectedObject Read(ReadOnlySpan<float> n, int label, float score)
    {
        var (x1, y1, x2, y2) = format switch
        {
            BoxFormat.X1Y1X2Y2 => (n[0], n[1], n[2], n[3]),
            BoxFormat.Y1X1Y2X2 => (n[1], n[0], n[3], n[2]),
            _ => (n[0] - (n[2] / 2), n[1] - (n[3] / 2), n[0] + (n[2] / 2), n[1] + (n[3] / 2)),
        };
        return new DetectedObject(label, score, x1 * _unitX, y1 * _unitY, x2 * _unitX, y2 * _unitY);
    }
}
