using Detection.Inference.Heads;
using Detection.Inference.Preprocessing;
using Detection.Objects;
using Xunit;

namespace Detection.Inference.Tests.Heads;

internal static class BoxAssert
{
    /// <summary>Same boxes in the same order, to a thousandth of a pixel and 1e-5 of score.</summary>
    public static void Same(IReadOnlyList<DetectedObject> expected, IReadOnlyList<DetectedObject> actual, float pixels = 2e-3f)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            var (e, a) = (expected[i], actual[i]);
            Assert.True(
                e.ClassId == a.ClassId && Math.Abs(e.Score - a.Score) <= 1e-5f && Math.Abs(e.X1 - a.X1) <= pixels && Math.Abs(e.Y1 - a.Y1) <= pixels
                    && Math.Abs(e.X2 - a.X2) <= pixels && Math.Abs(e.Y2 - a.Y2) <= pixels,
                $"Box {i}: expected {e}, was {a}.");
        }
    }

    /// <summary>Converts boxes in input pixels to the picture, clips them, and drops empty ones.</summary>
    public static List<DetectedObject> OnPicture(IEnumerable<DetectedObject> boxes, InputGeometry g) =>
    [
        .. boxes.Select(b => new DetectedObject(
                b.ClassId,
                b.Score,
                Math.Min(Math.Max((b.X1 - g.OffsetX) / g.ScaleX, 0), g.PictureWidth),
                Math.Min(Math.Max((b.Y1 - g.OffsetY) / g.ScaleY, 0), g.PictureHeight),
                Math.Min(Math.Max((b.X2 - g.OffsetX) / g.ScaleX, 0), g.PictureWidth),
                Math.Min(Math.Max((b.Y2 - g.OffsetY) / g.ScaleY, 0), g.PictureHeight)))
            .Where(b => b.X1 < b.X2 && b.Y1 < b.Y2),
    ];
}
