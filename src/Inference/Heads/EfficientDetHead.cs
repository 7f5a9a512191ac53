using System.Runtime.InteropServices;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// EfficientDet (arXiv:1911.09070) as Yet-Another-EfficientDet-Pytorch exports it: regression [anchors, 4] of dy, dx, dh, dw
/// relative to anchors that are computed here, classification [anchors, classes] with the sigmoid applied. One suppression over
/// each anchor's best class.
/// </summary>
internal sealed class EfficientDetHead : IDetectionHead
{
    private readonly int _classes;
    private readonly float _right;
    private readonly float _bottom;
    private readonly bool _classAgnostic;
    private readonly OutputRole _regression;
    private readonly OutputRole _classification;

    public EfficientDetHead(ModelManifest manifest)
    {
        var options = manifest.Head ?? new HeadOptions();
        _classes = manifest.Labels.Count;
        _right = manifest.Input.Width - 1;
        _bottom = manifest.Input.Height - 1;
        _classAgnostic = manifest.ClassAgnostic ?? true;
        Anchors = MakeAnchors(manifest.Input, options);
        var count = Anchors.Length;
        _regression = new OutputRole("regression", $"[{count}, 4]", options, s => s is [var r, 4] && r == count, "regression");
        _classification = new OutputRole(
            "classification", $"[{count}, {_classes}]", options, s => s is [var r, var c] && r == count && c == _classes, "classification");
    }

    /// <summary>All anchors, in the order of the outputs' rows.</summary>
    public Anchor[] Anchors { get; }

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        ReadInput(outputs, settings, boxes);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    /// <summary>As <see cref="Read"/>, but the boxes stay in pixels of the input, padding included.</summary>
    public void ReadInput(IReadOnlyList<OutputTensor> outputs, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        var scores = _classification.Find(outputs).Data.Span;
        var deltas = MemoryMarshal.Cast<float, Delta>(_regression.Find(outputs).Data.Span);
        for (var i = ScoreScan.Next(scores, 0, settings.ScoreFloor); i >= 0;)
        {
            var anchor = i / _classes;
            var row = scores.Slice(anchor * _classes, _classes);
            var best = ScoreScan.Best(row);
            boxes.Add(Decode(Anchors[anchor], deltas[anchor]) with { ClassId = best, Score = row[best] });
            i = ScoreScan.Next(scores, (anchor + 1) * _classes, settings.ScoreFloor);
        }

        NonMaxSuppression.Apply(boxes, start, settings.Iou, settings.MaxBoxes, _classAgnostic);
    }

    /// <summary>
    /// As in the replaced system: left and top edges are limited to 0, right and bottom edges to the last pixel. So the edges of a box that is wholly
    /// in the padding change places. Such a box suppresses no other box and is outside of the picture.
    /// </summary>
    private DetectedObject Decode(in Anchor anchor, in Delta delta)
    {
        var x = anchor.X + (delta.X * anchor.Width);
        var y = anchor.Y + (delta.Y * anchor.Height);
        var width = anchor.Width * MathF.Exp(delta.Width);
        var height = anchor.Height * MathF.Exp(delta.Height);
        return new DetectedObject(
            0,
            0,
            MathF.Max(x - (width / 2), 0),
            MathF.Max(y - (height / 2), 0),
            MathF.Min(x + (width / 2), _right),
            MathF.Min(y + (height / 2), _bottom));
    }

    private static Anchor[] MakeAnchors(InputSpec input, HeadOptions options)
    {
        var grid = new CellGrid(input, options.Strides ?? [8, 16, 32, 64, 128]);
        var scales = options.AnchorScales ?? [1, MathF.Pow(2, 1f / 3), MathF.Pow(2, 2f / 3)];
        IReadOnlyList<IReadOnlyList<float>> ratios = options.AnchorRatios ?? [[1, 1], [1.4f, 0.7f], [0.7f, 1.4f]];
        var side = options.AnchorScale ?? 4;
        if (!(side > 0) || scales.Count == 0 || !scales.All(s => s > 0))
        {
            throw new ModelException("\"head.anchorScale\" and \"head.anchorScales\" must be above 0; write for example \"anchorScale\": 4.");
        }

        if (ratios.Count == 0 || !ratios.All(r => r is [> 0, > 0]))
        {
            throw new ModelException("\"head.anchorRatios\" must be pairs of numbers above 0; write for example \"anchorRatios\": [[1, 1], [1.4, 0.7], [0.7, 1.4]].");
        }

        var anchors = new List<Anchor>(grid.Cells.Length * scales.Count * ratios.Count);
        foreach (var cell in grid.Cells)
        {
            foreach (var scale in scales)
            {
                foreach (var ratio in ratios)
                {
                    var size = side * cell.Stride * scale;
                    anchors.Add(new Anchor((cell.X + 0.5f) * cell.Stride, (cell.Y + 0.5f) * cell.Stride, size * ratio[0], size * ratio[1]));
                }
            }
        }

        return [.. anchors];
    }

    /// <summary>An anchor's centre and size in pixels of the input.</summary>
    public readonly record struct Anchor(float X, float Y, float Width, float Height);

    /// <summary>A row of the regression output.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Delta(float Y, float X, float Height, float Width);
}
