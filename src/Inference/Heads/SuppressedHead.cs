using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// SSD and other graphs that include suppression. Four formats: boxes [n, 4], scores [n], classes [n] and, in some graphs, the number of used rows
/// (TensorFlow, torchvision); boxes [n, 5] with the score last, and classes [n] (MMDetection); rows [n, 7] of picture, box, class and score (YOLOv7),
/// or of picture, box, score and class (super-gradients); boxes [n, 4], scores [classes, n] and the selected [m, 3] rows of ONNX's NonMaxSuppression, each (picture, class, box).
/// </summary>
internal sealed class SuppressedHead : IDetectionHead
{
    private readonly int _labels;
    private readonly int _first;

    /// <summary>Where the score and the class stand in a row of seven.</summary>
    private readonly (int Score, int Class) _columns;
    private readonly BoxReader _reader;
    private readonly OutputRole _boxes;
    private readonly OutputRole _scoredBoxes;
    private readonly OutputRole _rows;
    private readonly OutputRole _scores;
    private readonly OutputRole _classes;
    private readonly OutputRole _count;
    private readonly OutputRole _selected;
    private readonly OutputRole _allScores;

    public SuppressedHead(ModelManifest manifest)
        : this(manifest, manifest.Head ?? new HeadOptions(), (6, 5))
    {
    }

    private SuppressedHead(ModelManifest manifest, HeadOptions options, (int Score, int Class) columns)
    {
        _columns = columns;
        _labels = manifest.Labels.Count;
        var background = options.Background ?? BackgroundClass.First;
        _first = background == BackgroundClass.First ? 1 : 0;
        var numbers = _labels + (background == BackgroundClass.None ? 0 : 1);
        _reader = new BoxReader(options.BoxFormat ?? BoxFormat.Y1X1Y2X2, options.BoxUnit ?? BoxUnit.Fraction, manifest.Input);
        _boxes = new OutputRole("boxes", "[boxes, 4]", options, s => s is [_, 4], "detection_boxes", "boxes", "det_boxes", "pred_boxes", "graph2_pred_boxes");
        _scoredBoxes = new OutputRole("boxes", "[boxes, 5]", options, s => s is [_, 5], "dets");
        _rows = new OutputRole("output", "[boxes, 7]", options, s => s is [_, 7], "output", "output0", "flat_predictions", "graph2_flat_predictions");
        _scores = new OutputRole("scores", "[boxes]", options, s => s is [_], "detection_scores", "scores", "det_scores", "pred_scores", "graph2_pred_scores");
        _classes = new OutputRole(
            "classes", "[boxes]", options, s => s is [_], "detection_classes", "classes", "labels", "det_classes", "pred_classes", "graph2_pred_classes");
        _count = new OutputRole(
            "count", "[] or [1]", options, s => s is [] or [1], "num_detections", "count", "num_dets", "num_predictions", "graph2_num_predictions");
        _selected = new OutputRole("selected", "[selected, 3]", options, s => s is [_, 3], "selected_indices", "selected");
        _allScores = new OutputRole("scores", $"[{numbers}, boxes]", options, s => s is [var c, _] && c == numbers, "scores");
    }

    /// <summary>
    /// For graphs with left, top, right and bottom in pixels of the input, without a class for "nothing", and the score before the class in
    /// rows of seven.
    /// </summary>
    public static SuppressedHead InPixels(ModelManifest manifest) => new(
        manifest,
        (manifest.Head ?? new HeadOptions()) with { Background = BackgroundClass.None, BoxFormat = BoxFormat.X1Y1X2Y2, BoxUnit = BoxUnit.Pixels },
        (5, 6));

    /// <summary>Whether the outputs are those of boxes, or rows of seven numbers.</summary>
    public bool Fits(IReadOnlyList<OutputTensor> outputs) =>
        _rows.TryFind(outputs, out _) || (_boxes.TryFind(outputs, out _) && _scores.TryFind(outputs, out _) && _classes.TryFind(outputs, out _));

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;

        // Unused rows have the score 0.
        var floor = MathF.Max(settings.ScoreFloor, float.Epsilon);
        if (!TryAddRows(outputs, floor, boxes))
        {
            if (_selected.TryFind(outputs, out var selected))
            {
                AddSelected(selected.Data.Span, _boxes.Find(outputs).Data.Span, _allScores.Find(outputs), floor, boxes);
            }
            else if (_rows.TryFind(outputs, out var rows))
            {
                AddWhole(rows.Data.Span, floor, boxes);
            }
            else if (_scoredBoxes.TryFind(outputs, out var scored))
            {
                AddScored(scored.Data.Span, _classes.Find(outputs).Data.Span, floor, boxes);
            }
            else
            {
                AddRows(_boxes.Find(outputs).Data.Span, _scores.Find(outputs).Data.Span, _classes.Find(outputs).Data.Span, floor, boxes);
            }
        }

        NonMaxSuppression.KeepBest(boxes, start, settings.MaxBoxes);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    /// <summary>
    /// Tried first: graphs of TensorFlow have more outputs, with a width of the number of classes, that could be mistaken for those of the other formats.
    /// </summary>
    private bool TryAddRows(IReadOnlyList<OutputTensor> outputs, float floor, List<DetectedObject> boxes)
    {
        if (!_boxes.TryFind(outputs, out var rows)
            || !_scores.TryFind(outputs, out var all)
            || !_classes.TryFind(outputs, out var classes)
            || all.Name == classes.Name)
        {
            return false;
        }

        var scores = all.Data.Span;
        var count = _count.TryFind(outputs, out var filled) ? (int)Math.Clamp(filled.Data.Span[0], 0, scores.Length) : scores.Length;
        AddRows(rows.Data.Span, scores[..count], classes.Data.Span, floor, boxes);
        return true;
    }

    private void AddRows(ReadOnlySpan<float> rows, ReadOnlySpan<float> scores, ReadOnlySpan<float> classes, float floor, List<DetectedObject> boxes)
    {
        for (var i = ScoreScan.Next(scores, 0, floor); i >= 0; i = ScoreScan.Next(scores, i + 1, floor))
        {
            boxes.Add(_reader.Read(rows.Slice(4 * i, 4), ClassNumber.Check(classes[i] - _first, _labels), scores[i]));
        }
    }

    private void AddScored(ReadOnlySpan<float> rows, ReadOnlySpan<float> classes, float floor, List<DetectedObject> boxes)
    {
        for (var i = 0; i < classes.Length; i++)
        {
            var row = rows.Slice(5 * i, 5);
            if (row[4] >= floor)
            {
                boxes.Add(_reader.Read(row, ClassNumber.Check(classes[i] - _first, _labels), row[4]));
            }
        }
    }

    /// <summary>The graph runs one picture at a time, because its output does not follow the batch size.</summary>
    private void AddWhole(ReadOnlySpan<float> rows, float floor, List<DetectedObject> boxes)
    {
        for (; rows.Length >= 7; rows = rows[7..])
        {
            var score = rows[_columns.Score];
            if (score >= floor)
            {
                boxes.Add(_reader.Read(rows.Slice(1, 4), ClassNumber.Check(rows[_columns.Class] - _first, _labels), score));
            }
        }
    }

    private void AddSelected(ReadOnlySpan<float> selected, ReadOnlySpan<float> rows, in OutputTensor scores, float floor, List<DetectedObject> boxes)
    {
        var all = scores.Data.Span;
        for (; selected.Length >= 3; selected = selected[3..])
        {
            var (number, box) = ((int)selected[1], (int)selected[2]);
            var score = all[(number * scores.Shape[1]) + box];
            if (score >= floor && number >= _first && number - _first < _labels)
            {
                boxes.Add(_reader.Read(rows.Slice(4 * box, 4), number - _first, score));
            }
        }
    }
}
