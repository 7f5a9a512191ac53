using System.Runtime.InteropServices;

namespace Detection.Inference.Heads;

/// <summary>
/// Greedy non-max suppression: the best box stays, weaker ones that overlap it too much go, and so on. Works in place and
/// allocates nothing.
/// </summary>
public static class NonMaxSuppression
{
    /// <summary>Highest score first; equal scores in an order that does not depend on the sort. One delegate for all calls.</summary>
    private static readonly Comparison<ScoredBox> BestFirst = Compare;

    /// <summary>
    /// Suppresses among the boxes from index <paramref name="start"/> on; what stays is sorted, highest score first.
    /// </summary>
    /// <param name="boxes">The list; what is dropped is removed.</param>
    /// <param name="start">Boxes before it are not touched.</param>
    /// <param name="iou">A box is dropped when its intersection over union with a better one is above this, 0 to 1.</param>
    /// <param name="maxBoxes">Most boxes to keep.</param>
    /// <param name="classAgnostic">Whether boxes of different classes suppress each other.</param>
    public static void Apply(List<ScoredBox> boxes, int start, float iou, int maxBoxes, bool classAgnostic = false)
    {
        var candidates = CollectionsMarshal.AsSpan(boxes)[start..];
        candidates.Sort(BestFirst);

        // Kept boxes move to the front; a kept box never lies behind a candidate not looked at yet.
        var kept = 0;
        for (var i = 0; i < candidates.Length && kept < maxBoxes; i++)
        {
            ref readonly var candidate = ref candidates[i];
            if (!Suppressed(candidates[..kept], candidate, iou, classAgnostic))
            {
                candidates[kept++] = candidate;
            }
        }

        CollectionsMarshal.SetCount(boxes, start + kept);
    }

    /// <summary>Sorts the boxes from <paramref name="start"/> on, highest score first, and keeps the first <paramref name="maxBoxes"/>.</summary>
    public static void KeepBest(List<ScoredBox> boxes, int start, int maxBoxes)
    {
        CollectionsMarshal.AsSpan(boxes)[start..].Sort(BestFirst);
        if (boxes.Count - start > maxBoxes)
        {
            CollectionsMarshal.SetCount(boxes, start + maxBoxes);
        }
    }

    private static bool Suppressed(ReadOnlySpan<ScoredBox> kept, in ScoredBox box, float iou, bool classAgnostic)
    {
        var area = (box.X2 - box.X1) * (box.Y2 - box.Y1);
        foreach (ref readonly var other in kept)
        {
            if (other.ClassId != box.ClassId && !classAgnostic)
            {
                continue;
            }

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

    private static int Compare(ScoredBox a, ScoredBox b)
    {
        var order = b.Score.CompareTo(a.Score);
        if (order == 0)
        {
            order = a.ClassId.CompareTo(b.ClassId);
        }

        if (order == 0)
        {
            order = a.Y1.CompareTo(b.Y1);
        }

        return order != 0 ? order : a.X1.CompareTo(b.X1);
    }
}
