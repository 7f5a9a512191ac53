using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// Detectors whose outputs have class scores and the four numbers of a box for each cell of each map. The outputs of a map are tables [cells,
/// numbers] or planes [numbers, rows, columns]. Landmarks of faces are not read.
/// <para>RTMDet (arXiv:2212.07784): logits and the distances of a box's sides from the corner of its cell, in pixels of the input, as
/// <c>mmdet/models/dense_heads/rtmdet_head.py</c> of open-mmlab/mmdetection leaves them, or in strides, as
/// <c>projects/easydeploy/bbox_code/bbox_coder.py</c> of open-mmlab/mmyolo reads them; MMYOLO exports one output for each map, logits first.</para>
/// <para>SCRFD (arXiv:2105.04714): the distances of a box's sides from the corner of its cell in strides, for one or two boxes in each cell, as
/// <c>detection/scrfd/tools/scrfd.py</c> of deepinsight/insightface reads them.</para>
/// <para>YuNet: the score is √(class · objectness), each held between 0 and 1; the centre is an offset from the cell in strides, width and height
/// are logarithms in strides, as <c>modules/objdetect/src/face_detect.cpp</c> of opencv/opencv reads them.</para>
/// </summary>
internal sealed class CellMapHead : IDetectionHead
{
    /// <summary>With four boxes in each cell, a map would have the same size as the next larger one.</summary>
    private const int MaxAnchors = 2;

    private readonly int _classes;
    private readonly bool _classAgnostic;
    private readonly bool _hasSizes;
    private readonly bool _areLogits;
    private readonly bool _inPixels;
    private readonly float _cellOffset;
    private readonly Map[] _maps;

    private CellMapHead(ModelManifest manifest, bool hasObjectness, bool hasSizes, bool areLogits)
    {
        var options = manifest.Head ?? new HeadOptions();
        _classes = manifest.Labels.Count;
        _classAgnostic = manifest.ClassAgnostic ?? false;
        _hasSizes = hasSizes;
        _areLogits = (options.Scores ?? (areLogits ? ScoreActivation.Sigmoid : ScoreActivation.None)) == ScoreActivation.Sigmoid;
        _inPixels = options.Decoded ?? false;
        _cellOffset = options.CellOffset ?? 0;
        _maps = [.. (options.Strides ?? [8, 16, 32]).Select(stride =>
        {
            var cells = new CellGrid(manifest.Input, [stride]).Cells;
            return new Map(
                cells,
                Role("scores", cells, _classes, options, "cls", "score"),
                hasObjectness ? Role("objectness", cells, 1, options, "obj") : null,
                Role("boxes", cells, 4, options, "bbox"),
                Role("output", cells, _classes + 4, options, "output"));
        })];
    }

    public static CellMapHead RtmDet(ModelManifest manifest) => new(manifest, hasObjectness: false, hasSizes: false, areLogits: true);

    public static CellMapHead Scrfd(ModelManifest manifest) => new(manifest, hasObjectness: false, hasSizes: false, areLogits: false);

    public static CellMapHead YuNet(ModelManifest manifest) => new(manifest, hasObjectness: true, hasSizes: true, areLogits: false);

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        foreach (var map in _maps)
        {
            AddFrom(map, outputs, settings.ScoreFloor, boxes);
        }

        NonMaxSuppression.Apply(boxes, start, settings.Iou, settings.MaxBoxes, _classAgnostic);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    private void AddFrom(Map map, IReadOnlyList<OutputTensor> outputs, float floor, List<DetectedObject> boxes)
    {
        var (scores, numbers) = Find(map, outputs);
        var objectness = map.Objectness is null ? default : map.Objectness.Find(outputs).Data.Span;
        var values = scores.Data.Span;
        var rows = values.Length / _classes;
        var anchors = rows / map.Cells.Length;
        var inPlanes = scores.Shape.Length == 3;

        // One logarithm instead of a sigmoid for each number. No class score is above 1, and so neither is the product.
        var limit = _areLogits ? MathF.Log(floor / (1 - floor)) : map.Objectness is null ? floor : floor * floor;
        for (var i = ScoreScan.Next(values, 0, limit); i >= 0; i = ScoreScan.Next(values, i + 1, limit))
        {
            var (row, label) = inPlanes ? (i % rows, i / rows) : (i / _classes, i % _classes);
            var score = _areLogits ? 1 / (1 + MathF.Exp(-values[i]))
                : map.Objectness is null ? values[i]
                : MathF.Sqrt(MathF.Min(values[i], 1) * Math.Clamp(objectness[row], 0, 1));
            if (score >= floor)
            {
                boxes.Add(Decode(map.Cells[row / anchors], new Row(numbers, row, rows)) with { ClassId = label, Score = score });
            }
        }
    }

    /// <summary>The scores and the boxes of a map, which may share an output of planes.</summary>
    private (OutputTensor Scores, OutputTensor Boxes) Find(Map map, IReadOnlyList<OutputTensor> outputs)
    {
        if (!map.Joined.TryFind(outputs, out var joined) || joined.Shape is not [_, var rows, var columns] || map.Objectness is not null)
        {
            return (map.Scores.Find(outputs), map.Boxes.Find(outputs));
        }

        var scores = _classes * rows * columns;
        return (
            new OutputTensor(joined.Name, [_classes, rows, columns], joined.Data[..scores]),
            new OutputTensor(joined.Name, [4, rows, columns], joined.Data[scores..]));
    }

    private DetectedObject Decode(in CellGrid.Cell cell, in Row row)
    {
        var (a, b, c, d) = (row[0], row[1], row[2], row[3]);
        var (cellX, cellY) = ((cell.X + _cellOffset) * cell.Stride, (cell.Y + _cellOffset) * cell.Stride);
        var unit = _inPixels ? 1 : cell.Stride;
        if (!_hasSizes)
        {
            return new DetectedObject(0, 0, cellX - (a * unit), cellY - (b * unit), cellX + (c * unit), cellY + (d * unit));
        }

        var (x, y) = (cellX + (a * unit), cellY + (b * unit));
        var (width, height) = (MathF.Exp(c) * unit, MathF.Exp(d) * unit);
        return new DetectedObject(0, 0, x - (width / 2), y - (height / 2), x + (width / 2), y + (height / 2));
    }

    private static OutputRole Role(string role, CellGrid.Cell[] cells, int numbers, HeadOptions options, params string[] usualNames)
    {
        var (stride, rows, columns) = (cells[0].Stride, cells[^1].Y + 1, cells[^1].X + 1);
        return new OutputRole(
            $"{role}{stride}",
            $"[{cells.Length} or {MaxAnchors * cells.Length}, {numbers}] or [{numbers}, {rows}, {columns}]",
            options,
            s => s is [var count, var n] ? n == numbers && (count == cells.Length || count == MaxAnchors * cells.Length)
                : s is [var planes, var down, var across] && planes == numbers && down == rows && across == columns,
            [.. usualNames.Select(name => $"{name}_{stride}")]);
    }

    /// <summary>The outputs of one map.</summary>
    /// <param name="Cells">Its cells, row by row.</param>
    /// <param name="Scores">A score per class.</param>
    /// <param name="Objectness">The score for the presence of an object; <see langword="null"/> when the class scores include it.</param>
    /// <param name="Boxes">Four numbers.</param>
    /// <param name="Joined">Scores and boxes in one output.</param>
    private sealed record Map(CellGrid.Cell[] Cells, OutputRole Scores, OutputRole? Objectness, OutputRole Boxes, OutputRole Joined);

    /// <summary>A row of a table, or the numbers at one place of the planes.</summary>
    private readonly ref struct Row(in OutputTensor output, int row, int rows)
    {
        private readonly ReadOnlySpan<float> _values = output.Data.Span;
        private readonly int _first = output.Shape.Length == 3 ? row : row * output.Shape[1];
        private readonly int _step = output.Shape.Length == 3 ? rows : 1;

        public float this[int number] => _values[_first + (number * _step)];
    }
}
