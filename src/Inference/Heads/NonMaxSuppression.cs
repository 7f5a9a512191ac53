using System.Buffers;
using System.Runtime.InteropServices;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>
/// Greedy non-max suppression: the box with the highest score stays, weaker ones that overlap it too much are dropped, and so on. Works in place;
/// temporary memory comes from a pool.
/// </summary>
public static class NonMaxSuppression
{
    /// <summary>
    /// Suppresses among the boxes from index <paramref name="start"/> on. The remaining boxes are sorted, highest score first, equal scores in their
    /// original order.
    /// </summary>
    /// <param name="boxes">The list; dropped boxes are removed.</param>
    /// <param name="start">Index of the first box; earlier boxes are not changed.</param>
    /// <param name="iou">A box is dropped when its intersection over union with a better one is above this, 0 to 1.</param>
    /// <param name="maxBoxes">Maximum number of boxes to keep.</param>
    /// <param name="classAgnostic">Whether boxes of different classes suppress each other.</param>
    public static void Apply(List<DetectedObject> boxes, int start, float iou, int maxBoxes, bool classAgnostic = false) =>
        Keep(boxes, start, maxBoxes, iou, classAgnostic);

    /// <summary>
    /// Sorts the boxes from <paramref name="start"/> on, highest score first, equal scores in their original order, and keeps the first
    /// <paramref name="maxBoxes"/>.
    /// </summary>
    public static void KeepBest(List<DetectedObject> boxes, int start, int maxBoxes) => Keep(boxes, start, maxBoxes, null, false);

    private static void Keep(List<DetectedObject> boxes, int start, int maxBoxes, float? iou, bool classAgnostic)
    {
        var candidates = CollectionsMarshal.AsSpan(boxes)[start..];
        var most = Math.Min(maxBoxes, candidates.Length);
        var highestClass = 0;
        foreach (ref readonly var box in candidates)
        {
            highestClass = Math.Max(highestClass, box.ClassId);
        }

        var classes = classAgnostic ? 1 : highestClass + 1;
        var keyMemory = ArrayPool<ulong>.Shared.Rent(candidates.Length);
        var keptMemory = ArrayPool<DetectedObject>.Shared.Rent(most);
        var listMemory = ArrayPool<int>.Shared.Rent(classes + most);
        try
        {
            var queue = keyMemory.AsSpan(0, candidates.Length);
            for (var i = 0; i < queue.Length; i++)
            {
                queue[i] = Key(candidates[i].Score, i);
            }

            Heap.Make(queue);

            // Kept boxes of one class form a list: last[class] is the newest, before[n] the one kept before n.
            var last = listMemory.AsSpan(0, classes);
            var before = listMemory.AsSpan(classes, most);
            last.Fill(-1);
            var kept = 0;
            while (kept < most && queue.Length > 0)
            {
                ref readonly var candidate = ref candidates[(int)(uint)queue[0]];
                Heap.RemoveFirst(ref queue);
                ref var newest = ref last[classAgnostic ? 0 : candidate.ClassId];
                if (iou is null || !Suppressed(keptMemory, before, newest, candidate, iou.Value))
                {
                    keptMemory[kept] = candidate;
                    before[kept] = newest;
                    newest = kept++;
                }
            }

            keptMemory.AsSpan(0, kept).CopyTo(candidates);
            CollectionsMarshal.SetCount(boxes, start + kept);
        }
        finally
        {
            ArrayPool<ulong>.Shared.Return(keyMemory);
            ArrayPool<DetectedObject>.Shared.Return(keptMemory);
            ArrayPool<int>.Shared.Return(listMemory);
        }
    }

    private static bool Suppressed(DetectedObject[] kept, ReadOnlySpan<int> before, int newest, in DetectedObject box, float iou)
    {
        var area = (box.X2 - box.X1) * (box.Y2 - box.Y1);
        for (var i = newest; i >= 0; i = before[i])
        {
            ref readonly var other = ref kept[i];
            var width = MathF.Min(box.X2, other.X2) - MathF.Max(box.X1, other.X1);
            var height = MathF.Min(box.Y2, other.Y2) - MathF.Max(box.Y1, other.Y1);
            if (width <= 0 || height <= 0)
            {
                continue;
            }

            var intersection = width * height;
            var union = area + ((other.X2 - other.X1) * (other.Y2 - other.Y1)) - intersection;
            if (intersection / union > iou)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A number that is lower for a higher score and, among equal scores, for a lower index (its lower half).</summary>
    private static ulong Key(float score, int index)
    {
        // The bits of floats sort as integers after the negative ones are inverted.
        var bits = BitConverter.SingleToUInt32Bits(score);
        var ascending = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return ((ulong)~ascending << 32) | (uint)index;
    }

    /// <summary>
    /// A priority queue with the lowest number first. Low score floors give thousands of candidates, of which only the best few hundred are needed:
    /// this is cheaper than sorting all.
    /// </summary>
    private static class Heap
    {
        public static void Make(Span<ulong> heap)
        {
            for (var i = (heap.Length / 2) - 1; i >= 0; i--)
            {
                Sink(heap, i, heap[i]);
            }
        }

        public static void RemoveFirst(ref Span<ulong> heap)
        {
            var moved = heap[^1];
            heap = heap[..^1];
            if (heap.Length > 0)
            {
                Sink(heap, 0, moved);
            }
        }

        private static void Sink(Span<ulong> heap, int at, ulong value)
        {
            while (true)
            {
                var child = (2 * at) + 1;
                if (child >= heap.Length)
                {
                    break;
                }

                if (child + 1 < heap.Length && heap[child + 1] < heap[child])
                {
                    child++;
                }

                if (heap[child] >= value)
                {
                    break;
                }

                heap[at] = heap[child];
                at = child;
            }

            heap[at] = value;
        }
    }
}
