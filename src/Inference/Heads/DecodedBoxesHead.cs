using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// Detectors whose graph decodes the boxes and does not suppress: scores [boxes, classes], sigmoids applied, and boxes [boxes, 4] of left, top,
/// right, bottom in pixels of the input. A box may be of several classes.
/// <para>YOLO-NAS, as <c>src/super_gradients/module_interfaces/exportable_detector.py</c> of Deci-AI/super-gradients exports it. With
/// suppression inside, its outputs are num_predictions, pred_boxes, pred_scores and pred_classes, or flat_predictions [boxes, 7] of picture, box, score
/// and class (<c>src/super_gradients/conversion/onnx/nms.py</c>).</para>
/// <para>DAMO-YOLO (arXiv:2211.15444), as <c>tools/converter.py</c> of tinyvision/DAMO-YOLO exports it. With suppression inside (<c>--end2end --ort</c>)
/// its outputs are num_dets, det_boxes, det_scores and det_classes, where the converter takes left, top, right and bottom for a centre and a size (DAMO-YOLO
/// #169): undone here. What the suppression dropped because of that is lost.</para>
/// </summary>
internal sealed class DecodedBoxesHead : IDetectionHead
{
    private readonly int _classes;
    private readonly bool _classAgnostic;
    private readonly bool _takesCornersForCentres;
    private readonly OutputRole _scores;
    private readonly OutputRole _boxes;
    private readonly SuppressedHead _suppressed;

    public DecodedBoxesHead(ModelManifest manifest)
    {
        var options = manifest.Head ?? new HeadOptions();
        _classes = manifest.Labels.Count;
        _classAgnostic = manifest.ClassAgnostic ?? false;
        _takesCornersForCentres = manifest.Family == "damo-yolo";
        _scores = new OutputRole("scores", $"[boxes, {_classes}]", options, s => s is [_, var c] && c == _classes);
        _boxes = new OutputRole("boxes", "[boxes, 4]", options, s => s is [_, 4]);
        _suppressed = SuppressedHead.InPixels(manifest);
    }

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var isRaw = _scores.TryFind(outputs, out var scores) && _boxes.TryFind(outputs, out var found) && found.Shape[0] == scores.Shape[0];
        if (!isRaw && _suppressed.Fits(outputs))
        {
            _suppressed.Read(_takesCornersForCentres ? [.. outputs.Select(WithCorners)] : outputs, geometry, settings, boxes);
            return;
        }

        var start = boxes.Count;
        var values = _scores.Find(outputs).Data.Span;
        var rows = _boxes.Find(outputs).Data.Span;
        for (var i = ScoreScan.Next(values, 0, settings.ScoreFloor); i >= 0; i = ScoreScan.Next(values, i + 1, settings.ScoreFloor))
        {
            var row = i / _classes;
            var box = rows.Slice(4 * row, 4);
            boxes.Add(new DetectedObject(i - (row * _classes), values[i], box[0], box[1], box[2], box[3]));
        }

        NonMaxSuppression.Apply(boxes, start, settings.Iou, settings.MaxBoxes, _classAgnostic);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    /// <summary>Left − right / 2 and left + right / 2 are what the converter made of left and right.</summary>
    private static OutputTensor WithCorners(OutputTensor output)
    {
        if (output.Shape is not [_, 4])
        {
            return output;
        }

        var values = output.Data.ToArray();
        for (var row = 0; row < values.Length; row += 4)
        {
            for (var side = row; side < row + 2; side++)
            {
                (values[side], values[side + 2]) = ((values[side] + values[side + 2]) / 2, values[side + 2] - values[side]);
            }
        }

        return output with { Data = values };
    }
}
