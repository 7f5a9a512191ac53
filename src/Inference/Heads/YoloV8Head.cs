using System.Numerics;
using System.Runtime.InteropServices;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// YOLOv8, v9, 11 and 12: one output [4 + classes, cells] of centre x, centre y, width and height in pixels of the input, then a score per class,
/// sigmoid applied. The transposed output is also supported. A box has its best class.
/// </summary>
internal sealed class YoloV8Head : IDetectionHead
{
    /// <summary>Number of cells that are processed together: the maxima of their scores stay in the first-level cache.</summary>
    private const int Block = 256;

    private readonly int _classes;
    private readonly bool _classAgnostic;
    private readonly OutputRole _output;

    public YoloV8Head(ModelManifest manifest)
    {
        _classes = manifest.Labels.Count;
        _classAgnostic = manifest.ClassAgnostic ?? false;
        var height = 4 + _classes;
        _output = new OutputRole(
            "output",
            $"[4 + {_classes} classes, cells]",
            manifest.Head ?? new HeadOptions(),
            s => s is [var a, var b] && (a == height || b == height),
            "output0",
            "output");
    }

    public void Read(IReadOnlyList<OutputTensor> outputs, in InputGeometry geometry, in HeadSettings settings, List<DetectedObject> boxes)
    {
        var start = boxes.Count;
        var output = _output.Find(outputs);
        if (output.Shape[0] == 4 + _classes)
        {
            AddFromColumns(output.Data.Span, output.Shape[1], settings.ScoreFloor, boxes);
        }
        else
        {
            AddFromRows(output.Data.Span, settings.ScoreFloor, boxes);
        }

        NonMaxSuppression.Apply(boxes, start, settings.Iou, settings.MaxBoxes, _classAgnostic);
        PictureBoxes.FromInput(boxes, start, geometry);
    }

    private void AddFromColumns(ReadOnlySpan<float> data, int cells, float floor, List<DetectedObject> boxes)
    {
        Span<float> highest = stackalloc float[Block];
        for (var from = 0; from < cells; from += Block)
        {
            var count = Math.Min(Block, cells - from);
            var block = highest[..count];
            data.Slice((4 * cells) + from, count).CopyTo(block);
            for (var label = 1; label < _classes; label++)
            {
                Raise(block, data.Slice(((4 + label) * cells) + from, count));
            }

            for (var i = ScoreScan.Next(block, 0, floor); i >= 0; i = ScoreScan.Next(block, i + 1, floor))
            {
                var cell = from + i;
                var label = 0;
                while (data[((4 + label) * cells) + cell] != block[i])
                {
                    label++;
                }

                boxes.Add(Box(label, block[i], data[cell], data[cells + cell], data[(2 * cells) + cell], data[(3 * cells) + cell]));
            }
        }
    }

    private void AddFromRows(ReadOnlySpan<float> data, float floor, List<DetectedObject> boxes)
    {
        for (var at = 0; at < data.Length; at += 4 + _classes)
        {
            var row = data.Slice(at, 4 + _classes);
            var best = ScoreScan.Best(row[4..]);
            if (best >= 0 && row[4 + best] >= floor)
            {
                boxes.Add(Box(best, row[4 + best], row[0], row[1], row[2], row[3]));
            }
        }
    }

    private static DetectedObject Box(int label, float score, float x, float y, float width, float height) =>
        new(label, score, x - (width / 2), y - (height / 2), x + (width / 2), y + (height / 2));

    /// <summary>Writes the element-wise maximum to <paramref name="highest"/>. A number wins over NaN.</summary>
    private static void Raise(Span<float> highest, ReadOnlySpan<float> values)
    {
        ref var target = ref MemoryMarshal.GetReference(highest);
        ref var source = ref MemoryMarshal.GetReference(values);
        var i = 0;
        for (; i <= highest.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.MaxNumber(Vector.LoadUnsafe(ref target, (nuint)i), Vector.LoadUnsafe(ref source, (nuint)i)).StoreUnsafe(ref target, (nuint)i);
        }

        for (; i < highest.Length; i++)
        {
            highest[i] = float.MaxNumber(highest[i], values[i]);
        }
    }
}
