namespace Detection.Inference.Preprocessing;

/// <summary>The place of a picture in an input tensor: <c>input = picture · Scale + Offset</c> on each axis.</summary>
/// <param name="ScaleX">Input pixels per picture pixel, across.</param>
/// <param name="ScaleY">Input pixels per picture pixel, down.</param>
/// <param name="OffsetX">Left padding in input pixels.</param>
/// <param name="OffsetY">Top padding in input pixels.</param>
/// <param name="PictureWidth">Width of the upright original picture.</param>
/// <param name="PictureHeight">Height of the upright original picture.</param>
public readonly record struct InputGeometry(
    float ScaleX,
    float ScaleY,
    float OffsetX,
    float OffsetY,
    int PictureWidth,
    int PictureHeight)
{
    /// <summary>The place of a picture of the given size in the input.</summary>
    /// <param name="spec">The input.</param>
    /// <param name="pictureWidth">Width of the upright original picture in pixels.</param>
    /// <param name="pictureHeight">Height of the upright original picture in pixels.</param>
    public static InputGeometry Of(InputSpec spec, int pictureWidth, int pictureHeight)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pictureWidth, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(pictureHeight, 1);
        var (width, height) = spec.Fit(pictureWidth, pictureHeight);

        // An odd remainder is added at the right and at the bottom, as by Ultralytics.
        var (left, top) = spec.Resize == ResizeMode.LetterboxCenter
            ? ((spec.Width - width) / 2, (spec.Height - height) / 2)
            : (0, 0);
        return new((float)width / pictureWidth, (float)height / pictureHeight, left, top, pictureWidth, pictureHeight);
    }

    /// <summary>Maps a box from input pixels to pixels of the upright original picture, clipped to it.</summary>
    /// <param name="x1">Left edge.</param>
    /// <param name="y1">Top edge.</param>
    /// <param name="x2">Right edge.</param>
    /// <param name="y2">Bottom edge.</param>
    public (float X1, float Y1, float X2, float Y2) ToPicture(float x1, float y1, float x2, float y2) => (
        Math.Clamp((x1 - OffsetX) / ScaleX, 0, PictureWidth),
        Math.Clamp((y1 - OffsetY) / ScaleY, 0, PictureHeight),
        Math.Clamp((x2 - OffsetX) / ScaleX, 0, PictureWidth),
        Math.Clamp((y2 - OffsetY) / ScaleY, 0, PictureHeight));
}
