using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// CenterNet (arXiv:1904.07850): a heat map [classes, rows, columns] whose peaks are the centres of objects, and planes [2, rows, columns] of
/// widths and heights and of offsets of the centres, in cells. A peak is not lower than its eight neighbours, so no suppression is needed.
/// As <c>src/lib/models/decode.py</c> of xingyizhou/CenterNet reads them; without offsets a centre is the middle of its cell.
/// </summary>
internal sealed class CenterNetHead : IDetectionHead
{
    private readonly int _stride;
    private readonly int _rows;
    private readonly int _columns;
    private readonly bool _areLogits;
    private readonly OutputRole _heat;
    private readonly OutputRole _sizes;
    private readonly OutputRole _offsets;

    public CenterNetHead(ModelManifest manifest)
    {
        var options = manifest.Head ?? new HeadOptions();
        var classes = manifest.Labels.Count;
        var strides = options.Strides ?? [4];
        if (strides.Count != 1)
        {
            throw new ModelException("\"head.strides\" must be one number; write for example \"strides\": [4].");
        }

        var last = new CellGrid(manifest.Input, strides).Cells[^1];
        (_stride, _rows, _columns) = (last.Stride, last.Y + 1, last.X + 1);
        _areLogits = (options.Scores ?? ScoreActivation.Sigmoid) == ScoreActivation.Sigmoid;
        _heat = Role("heat", classes, "hm");
        _sizes = Role("sizes", 2, "wh");
        _offsets = Role("offsets", 2, "reg");

        OutputRole Role(string role, int planes, string usualName) => new(
            role, $"[{planes}, {_rows}, {_columns}]", options, s => s is [var p, var r, var c] && p == planes && r == _rows && c == _columns, usualName);
    }

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        var heat = _heat.Find(outputs).Data.Span;
        var found = _sizes.Find(outputs);
        var sizes = found.Data.Span;

        // Without offsets the sizes are the only output of their shape.
        var offsets = _offsets.TryFind(outputs, out var other) && other.Name != found.Name ? other.Data.Span : default;
        var cells = _rows * _columns;
        var limit = _areLogits ? MathF.Log(settings.ScoreFloor / (1 - settings.ScoreFloor)) : settings.ScoreFloor;
        for (var i = ScoreScan.Next(heat, 0, limit); i >= 0; i = ScoreScan.Next(heat, i + 1, limit))
        {
            var (label, cell) = (i / cells, i % cells);
            if (!IsPeak(heat.Slice(label * cells, cells), cell))
            {
                continue;
            }

            var score = _areLogits ? 1 / (1 + MathF.Exp(-heat[i])) : heat[i];
            var x = (cell % _columns) + (offsets.IsEmpty ? 0.5f : offsets[cell]);
            var y = (cell / _columns) + (offsets.IsEmpty ? 0.5f : offsets[cells + cell]);
            var (halfWidth, halfHeight) = (sizes[cell] / 2, sizes[cells + cell] / 2);
            boxes.Add(new DetectedObject(
                label, score, (x - halfWidth) * _stride, (y - halfHeight) * _stride, (x + halfWidth) * _stride, (y + halfHeight) * _stride));
        }

        NonMaxSuppression.KeepBest(boxes, start, settings.MaxBoxes);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    private bool IsPeak(ReadOnlySpan<float> plane, int cell)
    {
        var (x, y) = (cell % _columns, cell / _columns);
        for (var row = Math.Max(y - 1, 0); row <= Math.Min(y + 1, _rows - 1); row++)
        {
            for (var column = Math.Max(x - 1, 0); column <= Math.Min(x + 1, _columns - 1); column++)
            {
                if (plane[(row * _columns) + column] > plane[cell])
                {
                    return false;
                }
            }
        }

        return true;
    }
}
