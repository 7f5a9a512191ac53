using System.Runtime.InteropServices;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Heads;

/// <summary>The last step of every head.</summary>
internal static class PictureBoxes
{
    /// <summary>
    /// Moves the boxes from <paramref name="start"/> on from pixels of the input to pixels of the picture, clips them to it and
    /// drops those of which nothing is left (and those that are not numbers).
    /// </summary>
    public static void FromInput(List<ScoredBox> boxes, int start, in InputGeometry geometry)
    {
        var span = CollectionsMarshal.AsSpan(boxes)[start..];
        var kept = 0;
        foreach (ref readonly var box in span)
        {
            var x1 = Math.Clamp((box.X1 - geometry.OffsetX) / geometry.ScaleX, 0, geometry.PictureWidth);
            var y1 = Math.Clamp((box.Y1 - geometry.OffsetY) / geometry.ScaleY, 0, geometry.PictureHeight);
            var x2 = Math.Clamp((box.X2 - geometry.OffsetX) / geometry.ScaleX, 0, geometry.PictureWidth);
            var y2 = Math.Clamp((box.Y2 - geometry.OffsetY) / geometry.ScaleY, 0, geometry.PictureHeight);
            if (x2 > x1 && y2 > y1)
            {
                span[kept++] = box with { X1 = x1, Y1 = y1, X2 = x2, Y2 = y2 };
            }
        }

        CollectionsMarshal.SetCount(boxes, start + kept);
    }
}
