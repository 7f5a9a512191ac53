using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// DETR (arXiv:2005.12872), RT-DETR (arXiv:2304.08069), D-FINE and others with a fixed number of queries and without suppression. Three export
/// formats are supported: logits [queries, classes] with boxes [queries, 4]; one output [queries, 4 + classes] of boxes and scores; and labels
/// [boxes], boxes [boxes, 4], scores [boxes] in pixels of the input.
/// </summary>
internal sealed class QueryHead : IDetectionHead
{
    private readonly int _classes;
    private readonly ScoreActivation _activation;
    private readonly BackgroundClass _background;
    private readonly BoxReader _fractions;
    private readonly BoxReader _pixels;
    private readonly OutputRole _logits;
    private readonly OutputRole _joined;
    private readonly OutputRole _boxes;
    private readonly OutputRole _scores;
    private readonly OutputRole _labels;

    private QueryHead(ModelManifest manifest, ScoreActivation activation, BackgroundClass background)
    {
        var options = manifest.Head ?? new HeadOptions();
        _classes = manifest.Labels.Count;
        _activation = options.Scores ?? activation;
        _background = options.Background ?? background;
        _fractions = new BoxReader(options.BoxFormat ?? BoxFormat.CxCyWH, options.BoxUnit ?? BoxUnit.Fraction, manifest.Input);
        _pixels = new BoxReader(options.BoxFormat ?? BoxFormat.X1Y1X2Y2, options.BoxUnit ?? BoxUnit.Pixels, manifest.Input);
        var width = _classes + (_background == BackgroundClass.None ? 0 : 1);
        _logits = new OutputRole(
            "logits", $"[queries, {width}]", options, s => s is [_, var w] && w == width, "logits", "pred_logits", "labels", "scores");
        _joined = new OutputRole("output", $"[queries, {4 + _classes}]", options, s => s is [_, var w] && w == 4 + _classes, "output0", "output");
        _boxes = new OutputRole("boxes", "[queries, 4]", options, s => s is [_, 4], "boxes", "pred_boxes", "dets");
        _scores = new OutputRole("scores", "[boxes]", options, s => s.Length == 1, "scores");
        _labels = new OutputRole("labels", "[boxes]", options, s => s.Length == 1, "labels", "classes");
    }

    /// <summary>Softmax over the classes and the background.</summary>
    public static QueryHead Detr(ModelManifest manifest) => new(manifest, ScoreActivation.Softmax, BackgroundClass.Last);

    /// <summary>A sigmoid per class.</summary>
    public static QueryHead RtDetr(ModelManifest manifest) => new(manifest, ScoreActivation.Sigmoid, BackgroundClass.None);

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        if (_scores.TryFind(outputs, out var scores))
        {
            // Unused rows have the score 0.
            var floor = MathF.Max(settings.ScoreFloor, float.Epsilon);
            AddFinal(scores.Data.Span, _labels.Find(outputs).Data.Span, _boxes.Find(outputs).Data.Span, floor, boxes);
        }
        else if (_joined.TryFind(outputs, out var joined))
        {
            AddJoined(joined.Data.Span, settings.ScoreFloor, boxes);
        }
        else if (_activation == ScoreActivation.Softmax)
        {
            AddExclusive(_logits.Find(outputs), _boxes.Find(outputs).Data.Span, settings.ScoreFloor, boxes);
        }
        else
        {
            AddIndependent(_logits.Find(outputs), _boxes.Find(outputs).Data.Span, settings.ScoreFloor, boxes);
        }

        NonMaxSuppression.KeepBest(boxes, start, settings.MaxBoxes);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    private int First => _background == BackgroundClass.First ? 1 : 0;

    private void AddFinal(ReadOnlySpan<float> scores, ReadOnlySpan<float> labels, ReadOnlySpan<float> rows, float floor, List<DetectedObject> boxes)
    {
        for (var i = ScoreScan.Next(scores, 0, floor); i >= 0; i = ScoreScan.Next(scores, i + 1, floor))
        {
            boxes.Add(_pixels.Read(rows.Slice(4 * i, 4), ClassNumber.Check(labels[i] - First, _classes), scores[i]));
        }
    }

    private void AddJoined(ReadOnlySpan<float> rows, float floor, List<DetectedObject> boxes)
    {
        for (; rows.Length >= 4 + _classes; rows = rows[(4 + _classes)..])
        {
            var scores = rows.Slice(4, _classes);
            var best = ScoreScan.Best(scores);
            if (best >= 0 && scores[best] >= floor)
            {
                boxes.Add(_fractions.Read(rows, best, scores[best]));
            }
        }
    }

    /// <summary>Each class of a query is a separate box, as in the official post-processing.</summary>
    private void AddIndependent(in OutputTensor logits, ReadOnlySpan<float> rows, float floor, List<DetectedObject> boxes)
    {
        var values = logits.Data.Span;
        var width = logits.Shape[1];
        var sigmoid = _activation == ScoreActivation.Sigmoid;

        // One logarithm here replaces a sigmoid for every number.
        var limit = sigmoid ? MathF.Log(floor / (1 - floor)) : floor;
        for (var i = ScoreScan.Next(values, 0, limit); i >= 0; i = ScoreScan.Next(values, i + 1, limit))
        {
            var query = i / width;
            var label = i - (query * width) - First;
            if (label >= 0 && label < _classes)
            {
                boxes.Add(_fractions.Read(rows.Slice(4 * query, 4), label, sigmoid ? 1 / (1 + MathF.Exp(-values[i])) : values[i]));
            }
        }
    }

    /// <summary>A query is one box of its most likely class, with the softmax of that class as its score.</summary>
    private void AddExclusive(in OutputTensor logits, ReadOnlySpan<float> rows, float floor, List<DetectedObject> boxes)
    {
        var width = logits.Shape[1];
        var all = logits.Data.Span;
        for (var query = 0; query * width < all.Length; query++)
        {
            var values = all.Slice(query * width, width);
            var classes = values.Slice(First, _classes);
            var best = ScoreScan.Best(classes);
            if (best < 0)
            {
                continue;
            }

            float sum = 0;
            foreach (var value in values)
            {
                sum += MathF.Exp(value - classes[best]);
            }

            var score = 1 / sum;
            if (score >= floor)
            {
                boxes.Add(_fractions.Read(rows.Slice(4 * query, 4), best, score));
            }
        }
    }
}
