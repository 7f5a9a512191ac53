using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// YOLOX and YOLOv5: one output [rows, 5 + classes] of centre x, centre y, width, height, objectness and class scores, sigmoids applied. A box's
/// score is objectness × best class. YOLOv5 exports have pixels of the input. YOLOX exports have centres as offsets from their cell in strides and
/// the logarithm of sizes in strides (arXiv:2107.08430), unless exported decoded.
/// </summary>
internal sealed class ObjectnessHead : IDetectionHead
{
    private readonly int _width;
    private readonly bool _classAgnostic;
    private readonly CellGrid.Cell[]? _cells;
    private readonly OutputRole _output;

    private ObjectnessHead(ModelManifest manifest, CellGrid.Cell[]? cells)
    {
        var options = manifest.Head ?? new HeadOptions();
        _width = 5 + manifest.Labels.Count;
        _classAgnostic = manifest.ClassAgnostic ?? false;
        _cells = cells;
        _output = cells is null
            ? new OutputRole("output", $"[boxes, 5 + {manifest.Labels.Count} classes]", options, s => s is [_, var w] && w == _width, "output", "output0")
            : new OutputRole(
                "output",
                $"[{cells.Length}, 5 + {manifest.Labels.Count} classes]",
                options,
                s => s is [var r, var w] && w == _width && r == cells.Length,
                "output");
    }

    public static ObjectnessHead Yolox(ModelManifest manifest) =>
        new(manifest, manifest.Head?.Decoded == true ? null : new CellGrid(manifest.Input, manifest.Head?.Strides ?? [8, 16, 32]).Cells);

    public static ObjectnessHead YoloV5(ModelManifest manifest) => new(manifest, null);

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        var data = _output.Find(outputs).Data.Span;
        for (int row = 0, at = 0; at < data.Length; row++, at += _width)
        {
            // No class score is above 1, so most rows are skipped here.
            var objectness = data[at + 4];
            if (!(objectness >= settings.ScoreFloor))
            {
                continue;
            }

            var values = data.Slice(at, _width);
            var best = ScoreScan.Best(values[5..]);
            var score = best < 0 ? 0 : objectness * values[5 + best];
            if (best >= 0 && score >= settings.ScoreFloor)
            {
                boxes.Add(Decode(row, values) with { ClassId = best, Score = score });
            }
        }

        NonMaxSuppression.Apply(boxes, start, settings.Iou, settings.MaxBoxes, _classAgnostic);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    private DetectedObject Decode(int row, ReadOnlySpan<float> values)
    {
        var (x, y, width, height) = (values[0], values[1], values[2], values[3]);
        if (_cells is not null)
        {
            var cell = _cells[row];
            x = (x + cell.X) * cell.Stride;
            y = (y + cell.Y) * cell.Stride;
            width = MathF.Exp(width) * cell.Stride;
            height = MathF.Exp(height) * cell.Stride;
        }

        return new DetectedObject(0, 0, x - (width / 2), y - (height / 2), x + (width / 2), y + (height / 2));
    }
}
