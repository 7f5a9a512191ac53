using System.Globalization;
using Detection.Inference.Devices;
using Detection.Objects;

namespace Detection.Grains.Health;

/// <summary>The objects that a sound device finds in the test picture, and how similar other outputs must be.</summary>
internal sealed class ReferenceObjects
{
    /// <summary>Boxes near the score floor appear and disappear with numerical noise, so only boxes with twice that score are compared.</summary>
    private const float ClearFactor = 2;

    private const int MaxObjects = 20;

    /// <summary>Part of the boxes that must be found again. Of two boxes with nearly the same score, either may suppress the other.</summary>
    private const double MustAgree = 0.8;

    private const float ScoreTolerance = 0.1f;
    private const float MinOverlap = 0.7f;

    private readonly DetectedObject[] _boxes;

    private ReferenceObjects(float floor, DetectedObject[] boxes) => (Floor, _boxes) = (floor, boxes);

    /// <summary>Score floor at which the boxes were found.</summary>
    public float Floor { get; }

    /// <summary>Keeps the boxes of a sound device; <see langword="null"/> when none of them is clear enough for a comparison.</summary>
    public static ReferenceObjects? From(PictureOutcome outcome, float floor)
    {
        DetectedObject[] clear = [.. outcome.Boxes.Where(box => box.Score >= ClearFactor * floor).Take(MaxObjects)];
        return clear.Length == 0 ? null : new ReferenceObjects(floor, clear);
    }

    /// <summary>How the objects of another outcome differ; <see langword="null"/> when they are similar enough.</summary>
    public string? Difference(PictureOutcome outcome)
    {
        var found = _boxes.Count(known => outcome.Boxes.Any(box =>
            box.ClassId == known.ClassId && Math.Abs(box.Score - known.Score) <= ScoreTolerance * Math.Max(known.Score, 0.5f) && Overlap(box, known) >= MinOverlap));
        return found >= MustAgree * _boxes.Length
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"It finds {found} of the {_boxes.Length} boxes that the test picture had when the model was loaded.");
    }

    private static float Overlap(DetectedObject a, DetectedObject b)
    {
        var width = Math.Min(a.X2, b.X2) - Math.Max(a.X1, b.X1);
        var height = Math.Min(a.Y2, b.Y2) - Math.Max(a.Y1, b.Y1);
        if (width <= 0 || height <= 0)
        {
            return a == b ? 1 : 0;
        }

        var both = width * height;
        return both / (Area(a) + Area(b) - both);

        static float Area(DetectedObject box) => (box.X2 - box.X1) * (box.Y2 - box.Y1);
    }
}
