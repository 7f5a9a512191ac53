using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// PicoDet (arXiv:2111.00902) as PaddleDetection exports it. Raw: scores and distances of four maps, as NanoDet's. With the suppression
/// inside, as all of PaddleDetection's detectors: one output [boxes, 6] of class, score, left, top, right and bottom, in pixels of the picture as
/// <c>scale_factor</c> says it was resized (here 1, so of the input), with rows of class −1 where there are too few boxes.
/// </summary>
internal sealed class PicoDetHead : IDetectionHead
{
    private const int RowLength = 6;

    private readonly int _labels;
    private readonly NanoDetHead _raw;
    private readonly OutputRole _rows;

    public PicoDetHead(ModelManifest manifest)
    {
        var options = manifest.Head ?? new HeadOptions();
        _labels = manifest.Labels.Count;
        _raw = new NanoDetHead(manifest with { Head = options with { Strides = options.Strides ?? [8, 16, 32, 64], RegMax = options.RegMax ?? 7 } });
        _rows = new OutputRole("output", "[boxes, 6]", options, s => s is [_, RowLength]);
    }

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        if (_raw.Fits(outputs))
        {
            _raw.Read(outputs, geometry, settings, boxes);
            return;
        }

        var start = boxes.Count;
        for (var rows = _rows.Find(outputs).Data.Span; rows.Length >= RowLength; rows = rows[RowLength..])
        {
            if (rows[0] >= 0 && rows[1] >= settings.ScoreFloor)
            {
                boxes.Add(new DetectedObject(ClassNumber.Check(rows[0], _labels), rows[1], rows[2], rows[3], rows[4], rows[5]));
            }
        }

        NonMaxSuppression.KeepBest(boxes, start, settings.MaxBoxes);
        PictureBoxes.FromInput(boxes, start, geometry);
    }
}
