using System.Runtime.InteropServices;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Heads;

/// <summary>The last step of every head.</summary>
internal static class PictureBoxes
{
    /// <summary>
    /// Converts the boxes from <paramref name="start"/> on from pixels of the input to pixels of the picture, clips them to it and drops boxes
    /// without an area, and those that contain NaN.
    /// </summary>
    public static void FromInput(List<DetectedObject> boxes, int start, in InputGeometry geometry)
    {
        var span = CollectionsMarshal.AsSpan(boxes)[start..];
        var kept = 0;
        foreach (ref readonly var box in span)
        {
            var (x1, y1, x2, y2) = geometry.ToPicture(box.X1, box.Y1, box.X2, box.Y2);
            if (x2 > x1 && y2 > y1)
            {
                span[kept++] = box with { X1 = x1, Y1 = y1, X2 = x2, Y2 = y2 };
            }
        }

        CollectionsMarshal.SetCount(boxes, start + kept);
    }
}
