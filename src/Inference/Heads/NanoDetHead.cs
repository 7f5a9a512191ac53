using System.Numerics;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// NanoDet: per cell a score per class (sigmoid applied) and, for each of the four sides, a distribution over regMax + 1 bins
/// whose expectation is the side's distance from the cell's centre in strides (Generalized Focal Loss, arXiv:2006.04388).
/// Two outputs, scores [cells, classes] and distances [cells, 4·(regMax+1)], two such outputs for each map, or one with the
/// distances after the scores.
/// </summary>
internal sealed class NanoDetHead : IDetectionHead
{
    private const int MaxRegMax = 64;

    private readonly int _classes;
    private readonly int _bins;
    private readonly float _cellOffset;
    private readonly bool _classAgnostic;
    private readonly CellGrid.Cell[] _cells;
    private readonly Pair _whole;
    private readonly Pair[] _maps;
    private readonly OutputRole _both;

    public NanoDetHead(ModelManifest manifest)
    {
        var options = manifest.Head ?? new HeadOptions();
        var regMax = options.RegMax ?? 10;
        if (regMax is < 1 or > MaxRegMax)
        {
            throw new ModelException("\"head.regMax\" must be 1 to 64; write for example \"regMax\": 10.");
        }

        _classes = manifest.Labels.Count;
        _bins = regMax + 1;
        _cellOffset = options.CellOffset ?? 0.5f;
        _classAgnostic = manifest.ClassAgnostic ?? false;
        var strides = options.Strides ?? [8, 16, 32];
        _cells = new CellGrid(manifest.Input, strides).Cells;
        var rows = _cells.Length;
        _whole = new Pair(0, Role("scores", rows, _classes, "scores"), Role("distances", rows, 4 * _bins, "distances"));
        _maps = [.. strides.Select(stride => new Pair(
            Array.FindIndex(_cells, c => c.Stride == stride),
            Role($"scores{stride}", _cells.Count(c => c.Stride == stride), _classes, $"cls_pred_stride_{stride}"),
            Role($"distances{stride}", _cells.Count(c => c.Stride == stride), 4 * _bins, $"dis_pred_stride_{stride}")))];
        _both = new OutputRole("output", $"[{rows}, {_classes + (4 * _bins)}]", options, s => s is [var r, var c] && r == rows && c == _classes + (4 * _bins));

        OutputRole Role(string role, int height, int width, string usualName) =>
            new(role, $"[{height}, {width}]", options, s => s is [var r, var c] && r == height && c == width, usualName);
    }

    /// <summary>Whether the outputs are those of this head.</summary>
    public bool Fits(IReadOnlyList<OutputTensor> outputs) =>
        _both.TryFind(outputs, out _) || _maps[0].Scores.TryFind(outputs, out _) || _whole.Scores.TryFind(outputs, out _);

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        if (_both.TryFind(outputs, out var both))
        {
            AddFromOne(both.Data.Span, settings.ScoreFloor, boxes);
        }
        else if (_maps[0].Scores.TryFind(outputs, out _))
        {
            foreach (var map in _maps)
            {
                AddFromTwo(map, outputs, settings.ScoreFloor, boxes);
            }
        }
        else
        {
            AddFromTwo(_whole, outputs, settings.ScoreFloor, boxes);
        }

        NonMaxSuppression.Apply(boxes, start, settings.Iou, settings.MaxBoxes, _classAgnostic);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    private void AddFromTwo(Pair pair, IReadOnlyList<OutputTensor> outputs, float floor, List<DetectedObject> boxes)
    {
        var scores = pair.Scores.Find(outputs).Data.Span;
        var distances = pair.Distances.Find(outputs).Data.Span;
        var decoded = -1;
        DetectedObject box = default;
        for (var i = ScoreScan.Next(scores, 0, floor); i >= 0; i = ScoreScan.Next(scores, i + 1, floor))
        {
            var cell = i / _classes;
            if (cell != decoded)
            {
                box = Decode(pair.First + cell, distances.Slice(cell * 4 * _bins, 4 * _bins));
                decoded = cell;
            }

            boxes.Add(box with { ClassId = i - (cell * _classes), Score = scores[i] });
        }
    }

    private void AddFromOne(ReadOnlySpan<float> rows, float floor, List<DetectedObject> boxes)
    {
        var width = _classes + (4 * _bins);
        for (var cell = 0; cell < _cells.Length; cell++)
        {
            var row = rows.Slice(cell * width, width);
            var scores = row[.._classes];
            var i = ScoreScan.Next(scores, 0, floor);
            if (i < 0)
            {
                continue;
            }

            var box = Decode(cell, row[_classes..]);
            for (; i >= 0; i = ScoreScan.Next(scores, i + 1, floor))
            {
                boxes.Add(box with { ClassId = i, Score = scores[i] });
            }
        }
    }

    private DetectedObject Decode(int index, ReadOnlySpan<float> bins)
    {
        var cell = _cells[index];
        var x = (cell.X + _cellOffset) * cell.Stride;
        var y = (cell.Y + _cellOffset) * cell.Stride;
        Span<float> sides = stackalloc float[4];
        Expectations(bins, sides);
        return new DetectedObject(
            0, 0, x - (sides[0] * cell.Stride), y - (sides[1] * cell.Stride), x + (sides[2] * cell.Stride), y + (sides[3] * cell.Stride));
    }

    /// <summary>For each side, Σ i·softmax(bins)[i].</summary>
    private void Expectations(ReadOnlySpan<float> bins, Span<float> sides)
    {
        // The weights of all four sides together, so that several exponentials are computed at once.
        Span<float> weights = stackalloc float[(4 * (MaxRegMax + 1)) + Vector<float>.Count];
        for (var side = 0; side < 4; side++)
        {
            var own = bins.Slice(side * _bins, _bins);
            var highest = own[0];
            foreach (var bin in own)
            {
                highest = MathF.Max(highest, bin);
            }

            for (var i = 0; i < own.Length; i++)
            {
                weights[(side * _bins) + i] = own[i] - highest;
            }
        }

        for (var i = 0; i < 4 * _bins; i += Vector<float>.Count)
        {
            var some = weights.Slice(i, Vector<float>.Count);
            Vector.Exp(new Vector<float>(some)).CopyTo(some);
        }

        for (var side = 0; side < 4; side++)
        {
            float sum = 0;
            float weighted = 0;
            for (var i = 0; i < _bins; i++)
            {
                var weight = weights[(side * _bins) + i];
                sum += weight;
                weighted += weight * i;
            }

            sides[side] = weighted / sum;
        }
    }

    /// <summary>The two outputs of some cells.</summary>
    /// <param name="First">The first of them.</param>
    /// <param name="Scores">A score per class.</param>
    /// <param name="Distances">The distribution of each side's distance.</param>
    private sealed record Pair(int First, OutputRole Scores, OutputRole Distances);
}
