using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// YOLOv10, YOLO26 and other exports whose boxes need no suppression: one output [boxes, 6] of left, top, right, bottom in
/// pixels of the input, score and class. DeepStream-Yolo's exporters write such a row for every cell; this head suppresses them.
/// </summary>
internal sealed class EndToEndHead(ModelManifest manifest, bool suppresses) : IDetectionHead
{
    private readonly OutputRole _output = new(
        "output", "[boxes, 6]", manifest.Head ?? new HeadOptions(), s => s is [_, 6], "output0", "output");

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        var data = _output.Find(outputs).Data.Span;

        // Unused rows have the score 0.
        var floor = MathF.Max(settings.ScoreFloor, float.Epsilon);
        for (; data.Length >= 6; data = data[6..])
        {
            if (data[4] >= floor)
            {
                var label = ClassNumber.Check(data[5], manifest.Labels.Count);
                boxes.Add(new DetectedObject(label, data[4], data[0], data[1], data[2], data[3]));
            }
        }

        if (suppresses)
        {
            NonMaxSuppression.Apply(boxes, start, settings.Iou, settings.MaxBoxes, manifest.ClassAgnostic ?? false);
        }
        else
        {
            NonMaxSuppression.KeepBest(boxes, start, settings.MaxBoxes);
        }

        PictureBoxes.FromInput(boxes, start, geometry);
    }
}
