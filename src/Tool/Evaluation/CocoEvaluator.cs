using Detection.Objects;

namespace Detection.Tool.Evaluation;

/// <summary>
/// The COCO detection evaluation for boxes: greedy matching of boxes to annotations by score, precision made monotone and read at 101 recalls, the
/// mean over overlaps and classes (as defined by COCOeval of pycocotools). Classes without annotations do not count. Not safe for concurrent use.
/// </summary>
public sealed class CocoEvaluator
{
    private const int MaxBoxes = 100;
    private const int Recalls = 101;

    private static readonly double[] Overlaps = [.. Enumerable.Range(0, 10).Select(i => 0.5 + (i * ((0.95 - 0.5) / 9)))];

    /// <summary>All, small, medium, large: minimum and maximum area in pixels, both inclusive.</summary>
    private static readonly (double Least, double Greatest)[] Areas = [(0, 1e10), (0, 32 * 32), (32 * 32, 96 * 96), (96 * 96, 1e10)];

    private readonly Dictionary<(long Image, long Category), List<CocoAnnotation>> _wanted;
    private readonly Dictionary<(long Image, long Category), List<DetectedObject>> _found = [];
    private readonly long[] _images;
    private readonly long[] _categories;

    /// <param name="dataset">The annotations.</param>
    public CocoEvaluator(CocoDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        _wanted = dataset.Annotations.GroupBy(a => (a.ImageId, a.CategoryId)).ToDictionary(g => g.Key, g => g.ToList());
        _images = [.. dataset.Images.Select(i => i.Id).Order()];
        _categories = [.. dataset.Categories.Select(c => c.Id).Order()];
    }

    /// <summary>Adds the boxes that a model found in a picture.</summary>
    /// <param name="imageId">The picture.</param>
    /// <param name="boxes">The boxes, in pixels.</param>
    /// <param name="categoryOf">The class of a box's class id; <see langword="null"/> for one that is not evaluated.</param>
    public void Add(long imageId, IEnumerable<DetectedObject> boxes, Func<int, long?> categoryOf)
    {
        foreach (var box in boxes)
        {
            if (categoryOf(box.ClassId) is { } category)
            {
                if (!_found.TryGetValue((imageId, category), out var list))
                {
                    _found[(imageId, category)] = list = [];
                }

                list.Add(box);
            }
        }
    }

    /// <summary>Computes the scores of all pictures that were added.</summary>
    public CocoScores Evaluate()
    {
        // [area] → per class precision and recall at each overlap.
        var precision = new List<double[]>[Areas.Length];
        var recall = new List<double[]>[Areas.Length];
        var recall1 = new List<double[]>();
        var recall10 = new List<double[]>();
        for (var area = 0; area < Areas.Length; area++)
        {
            (precision[area], recall[area]) = ([], []);
            foreach (var category in _categories)
            {
                var pictures = _images.Select(i => Match(i, category, Areas[area])).Where(p => p is not null).Select(p => p!).ToList();
                if (Accumulate(pictures, MaxBoxes) is { } all)
                {
                    precision[area].Add(all.Precision);
                    recall[area].Add(all.Recall);
                }

                if (area == 0)
                {
                    recall1.AddRange(Accumulate(pictures, 1) is { } one ? [one.Recall] : []);
                    recall10.AddRange(Accumulate(pictures, 10) is { } ten ? [ten.Recall] : []);
                }
            }
        }

        return new CocoScores(
            Mean(precision[0]),
            Mean(precision[0], 0),
            Mean(precision[0], 5),
            Mean(precision[1]),
            Mean(precision[2]),
            Mean(precision[3]),
            Mean(recall1),
            Mean(recall10),
            Mean(recall[0]),
            Mean(recall[1]),
            Mean(recall[2]),
            Mean(recall[3]));
    }

    private static double Mean(List<double[]> classes, int? overlap = null) =>
        classes.Count == 0 ? -1 : classes.Average(values => overlap is { } one ? values[one] : values.Average());

    /// <summary>The boxes of one picture and class that match an annotation, at each overlap. Null when there is nothing to compare.</summary>
    private PictureMatches? Match(long image, long category, (double Least, double Greatest) area)
    {
        bool Outside(double size) => size < area.Least || size > area.Greatest;
        var annotations = _wanted.GetValueOrDefault((image, category)) ?? [];
        var boxes = (_found.GetValueOrDefault((image, category)) ?? []).OrderByDescending(b => b.Score).Take(MaxBoxes).ToArray();
        if (annotations.Count == 0 && boxes.Length == 0)
        {
            return null;
        }

        // Annotations that count come first: a box matches an ignored one only when no other one is left.
        var wanted = annotations.Select(a => (Annotation: a, Ignored: a.IsCrowd != 0 || Outside(a.Area))).OrderBy(a => a.Ignored).ToArray();
        var overlaps = boxes.Select(b => wanted.Select(w => Overlap(b, w.Annotation)).ToArray()).ToArray();
        var hit = new bool[Overlaps.Length, boxes.Length];
        var ignored = new bool[Overlaps.Length, boxes.Length];
        for (var t = 0; t < Overlaps.Length; t++)
        {
            var taken = new bool[wanted.Length];
            for (var b = 0; b < boxes.Length; b++)
            {
                var best = -1;
                var least = Math.Min(Overlaps[t], 1 - 1e-10);
                for (var w = 0; w < wanted.Length; w++)
                {
                    if (taken[w] && wanted[w].Annotation.IsCrowd == 0)
                    {
                        continue;
                    }

                    if (best >= 0 && !wanted[best].Ignored && wanted[w].Ignored)
                    {
                        break;
                    }

                    if (overlaps[b][w] >= least)
                    {
                        (least, best) = (overlaps[b][w], w);
                    }
                }

                if (best >= 0)
                {
                    taken[best] = true;
                    hit[t, b] = true;
                    ignored[t, b] = wanted[best].Ignored;
                }
                else
                {
                    var size = (double)(boxes[b].X2 - boxes[b].X1) * (boxes[b].Y2 - boxes[b].Y1);
                    ignored[t, b] = Outside(size);
                }
            }
        }

        return new PictureMatches([.. boxes.Select(b => b.Score)], hit, ignored, wanted.Count(w => !w.Ignored));
    }

    /// <summary>Precision (mean over the recalls) and maximum recall of one class at each overlap; null without annotations.</summary>
    private static (double[] Precision, double[] Recall)? Accumulate(List<PictureMatches> pictures, int maxBoxes)
    {
        var wanted = pictures.Sum(p => p.Wanted);
        if (wanted == 0)
        {
            return null;
        }

        // A stable sort, so that boxes with equal scores keep the order of the pictures.
        var order = pictures
            .SelectMany(p => Enumerable.Range(0, Math.Min(maxBoxes, p.Scores.Length)).Select(i => (Picture: p, Index: i)))
            .OrderByDescending(d => d.Picture.Scores[d.Index])
            .ToArray();
        var precision = new double[Overlaps.Length];
        var recall = new double[Overlaps.Length];
        for (var t = 0; t < Overlaps.Length; t++)
        {
            var curve = new List<(double Recall, double Precision)>(order.Length);
            var (hits, misses) = (0, 0);
            foreach (var (picture, index) in order)
            {
                if (!picture.Ignored[t, index])
                {
                    _ = picture.Hit[t, index] ? hits++ : misses++;
                }

                // An ignored box repeats the point before it.
                curve.Add(((double)hits / wanted, hits / (hits + misses + double.Epsilon)));
            }

            recall[t] = curve.Count == 0 ? 0 : curve[^1].Recall;
            precision[t] = MeanPrecision(curve);
        }

        return (precision, recall);
    }

    /// <summary>The mean, over the recalls 0, 0.01, …, 1, of the highest precision at that recall or a higher one.</summary>
    private static double MeanPrecision(List<(double Recall, double Precision)> curve)
    {
        double sum = 0;
        double best = 0;
        var point = curve.Count - 1;
        for (var step = Recalls - 1; step >= 0; step--)
        {
            for (; point >= 0 && curve[point].Recall >= step * 0.01; point--)
            {
                best = Math.Max(best, curve[point].Precision);
            }

            sum += best;
        }

        return sum / Recalls;
    }

    /// <summary>Intersection over union; over the box's own area for a crowd.</summary>
    private static double Overlap(in DetectedObject box, CocoAnnotation annotation)
    {
        var (x, y, width, height) = (annotation.Box[0], annotation.Box[1], annotation.Box[2], annotation.Box[3]);
        var across = Math.Min(box.X2, x + width) - Math.Max(box.X1, x);
        var down = Math.Min(box.Y2, y + height) - Math.Max(box.Y1, y);
        if (across <= 0 || down <= 0)
        {
            return 0;
        }

        var own = (double)(box.X2 - box.X1) * (box.Y2 - box.Y1);
        return across * down / (annotation.IsCrowd != 0 ? own : own + (width * height) - (across * down));
    }

    private sealed record PictureMatches(float[] Scores, bool[,] Hit, bool[,] Ignored, int Wanted);
}
