using System.Runtime.InteropServices;
using SkiaSharp;

namespace Detection.Inference.Pictures;

/// <summary>The eight EXIF orientations: maps pixels of the stored picture to the upright one.</summary>
internal static class Orientation
{
    // A tile of the target and the stored pixels that it reads fit into the first-level cache.
    private const int Tile = 32;

    /// <summary>Whether width and height are exchanged.</summary>
    public static bool Swaps(SKEncodedOrigin origin) => origin >= SKEncodedOrigin.LeftTop;

    /// <summary>Copies the stored picture into the upright one.</summary>
    /// <param name="stored">As decoded.</param>
    /// <param name="upright">Of the same size, or of the swapped size where <see cref="Swaps"/>.</param>
    /// <param name="origin">Place of the stored picture's first pixel.</param>
    public static void Apply(Picture stored, Picture upright, SKEncodedOrigin origin)
    {
        int w = stored.Width;
        int h = stored.Height;

        // Pixel (x, y) of the upright picture is the stored one at first + x · right + y · down.
        var (first, right, down) = origin switch
        {
            SKEncodedOrigin.TopRight => (w - 1, -1, w),
            SKEncodedOrigin.BottomRight => ((w * h) - 1, -1, -w),
            SKEncodedOrigin.BottomLeft => (w * (h - 1), 1, -w),
            SKEncodedOrigin.LeftTop => (0, w, 1),
            SKEncodedOrigin.RightTop => (w * (h - 1), -w, 1),
            SKEncodedOrigin.RightBottom => ((w * h) - 1, -w, -1),
            SKEncodedOrigin.LeftBottom => (w - 1, w, -1),
            _ => (0, 1, w),
        };

        // The overhang of a scaled decode at the right and lower border moves to the left or to the top where an axis is mirrored.
        var overX = upright.Width - ((float)upright.OriginalWidth / upright.Reduction);
        var overY = upright.Height - ((float)upright.OriginalHeight / upright.Reduction);
        upright.OverhangLeft = right < 0 ? overX : 0;
        upright.OverhangTop = down < 0 ? overY : 0;

        var source = MemoryMarshal.Cast<byte, uint>(stored.Pixels);
        var target = MemoryMarshal.Cast<byte, uint>(upright.Pixels);
        for (var top = 0; top < upright.Height; top += Tile)
        {
            var bottom = Math.Min(top + Tile, upright.Height);
            for (var left = 0; left < upright.Width; left += Tile)
            {
                var width = Math.Min(Tile, upright.Width - left);
                for (var y = top; y < bottom; y++)
                {
                    var row = target.Slice((y * upright.Width) + left, width);
                    var at = first + (left * right) + (y * down);
                    for (var x = 0; x < row.Length; x++, at += right)
                    {
                        row[x] = source[at];
                    }
                }
            }
        }
    }
}
