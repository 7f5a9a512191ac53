using Detection.Inference.Heads;
using Detection.Objects;
using Xunit;

namespace Detection.Inference.Tests.Heads;

public sealed class NonMaxSuppressionTests
{
    [Theory]
    [InlineData(false, 0.3f)]
    [InlineData(false, 0.6f)]
    [InlineData(true, 0.3f)]
    [InlineData(true, 0.6f)]
    public void Keeps_what_the_plain_definition_keeps(bool classAgnostic, float iou)
    {
        var random = new Random(7);
        var all = Enumerable.Range(0, 400).Select(_ => RandomBox(random)).ToList();
        var expected = Plain(all, iou, classAgnostic);

        NonMaxSuppression.Apply(all, 0, iou, int.MaxValue, classAgnostic);

        Assert.InRange(expected.Count, 20, 399);
        Assert.Equal(expected, all);
    }

    [Fact]
    public void Boxes_of_another_class_stay_unless_class_agnostic()
    {
        List<DetectedObject> boxes = [new(0, 0.9f, 0, 0, 10, 10), new(1, 0.8f, 0, 0, 10, 10), new(0, 0.7f, 0, 0, 10, 9)];
        var agnostic = boxes.ToList();

        NonMaxSuppression.Apply(boxes, 0, 0.5f, 300);
        NonMaxSuppression.Apply(agnostic, 0, 0.5f, 300, classAgnostic: true);

        Assert.Equal([0, 1], boxes.Select(b => b.ClassId));
        Assert.Equal([0], agnostic.Select(b => b.ClassId));
    }

    [Fact]
    public void Does_not_touch_boxes_before_the_start_and_keeps_at_most_the_maximum()
    {
        DetectedObject before = new(3, 0.1f, 0, 0, 10, 10);
        List<DetectedObject> boxes = [before, .. Enumerable.Range(0, 20).Select(i => new DetectedObject(3, i / 100f, 20 * i, 0, (20 * i) + 10, 10))];

        NonMaxSuppression.Apply(boxes, 1, 0.5f, 5);

        Assert.Equal(before, boxes[0]);
        Assert.Equal([0.19f, 0.18f, 0.17f, 0.16f, 0.15f], boxes.Skip(1).Select(b => b.Score));
    }

    [Fact]
    public void Keeps_a_box_whose_overlap_is_exactly_the_limit()
    {
        // Half of each box overlaps: 50 / 150.
        List<DetectedObject> boxes = [new(0, 0.9f, 0, 0, 10, 10), new(0, 0.8f, 5, 0, 15, 10)];

        NonMaxSuppression.Apply(boxes, 0, 50f / 150f, 300);

        Assert.Equal(2, boxes.Count);
    }

    [Fact]
    public void Equal_scores_keep_their_order()
    {
        var boxes = Enumerable.Range(0, 200).Select(i => new DetectedObject(0, i % 2 == 0 ? 0.5f : 0.75f, 20 * i, 0, (20 * i) + 10, 10)).ToList();
        var expected = boxes.OrderByDescending(b => b.Score).ToList();
        var best = boxes.ToList();

        NonMaxSuppression.Apply(boxes, 0, 0.5f, 200);
        NonMaxSuppression.KeepBest(best, 0, 120);

        Assert.Equal(expected, boxes);
        Assert.Equal(expected.Take(120), best);
    }

    [Fact]
    public void Allocates_nothing()
    {
        var random = new Random(7);
        var source = Enumerable.Range(0, 400).Select(_ => RandomBox(random)).ToArray();
        var boxes = new List<DetectedObject>(source.Length);
        var allocated = long.MaxValue;

        // The first round compiles the code; only a later one counts.
        for (var round = 0; round < 3; round++)
        {
            boxes.Clear();
            boxes.AddRange(source);
            var before = GC.GetAllocatedBytesForCurrentThread();
            NonMaxSuppression.Apply(boxes, 0, 0.5f, 300);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    internal static DetectedObject RandomBox(Random random)
    {
        var x = random.NextSingle() * 100;
        var y = random.NextSingle() * 100;
        return new DetectedObject(random.Next(3), random.NextSingle(), x, y, x + 5 + (random.NextSingle() * 60), y + 5 + (random.NextSingle() * 60));
    }

    /// <summary>Repeatedly takes the best remaining box and removes those that overlap it.</summary>
    internal static List<DetectedObject> Plain(IEnumerable<DetectedObject> boxes, double iou, bool classAgnostic)
    {
        var left = boxes.OrderByDescending(b => b.Score).ToList();
        var kept = new List<DetectedObject>();
        while (left.Count > 0)
        {
            var best = left[0];
            kept.Add(best);
            left = [.. left.Skip(1).Where(b => (!classAgnostic && b.ClassId != best.ClassId) || Overlap(b, best) <= iou)];
        }

        return kept;
    }

    /// <summary>Intersection over union.</summary>
    internal static double Overlap(DetectedObject a, DetectedObject b)
    {
        double Area(double x1, double y1, double x2, double y2) => Math.Max(0, x2 - x1) * Math.Max(0, y2 - y1);
        var both = Area(Math.Max(a.X1, b.X1), Math.Max(a.Y1, b.Y1), Math.Min(a.X2, b.X2), Math.Min(a.Y2, b.Y2));
        return both == 0 ? 0 : both / (Area(a.X1, a.Y1, a.X2, a.Y2) + Area(b.X1, b.Y1, b.X2, b.Y2) - both);
    }
}
