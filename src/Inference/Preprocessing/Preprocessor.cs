using System.Buffers;
using Detection.Inference.Pictures;

namespace Detection.Inference.Preprocessing;

/// <summary>
/// Fills an input tensor from a picture in one pass: bilinear with half-pixel centres and without antialiasing (OpenCV's INTER_LINEAR, in floating
/// point), normalised, in the order and type of the model.
/// </summary>
public static class Preprocessor
{
    /// <summary>Writes one picture's part of the input tensor.</summary>
    /// <param name="picture">The picture, possibly decoded at a smaller scale.</param>
    /// <param name="spec">The input.</param>
    /// <param name="destination">The part, <see cref="InputSpec.ByteLength"/> bytes; all of it is written.</param>
    /// <returns>The place of the picture in the input.</returns>
    /// <exception cref="ArgumentException">The destination is of another length, or the specification contradicts itself.</exception>
    public static InputGeometry Write(Picture picture, InputSpec spec, Span<byte> destination)
    {
        if (destination.Length != spec.ByteLength)
        {
            throw new ArgumentException($"{destination.Length} bytes given, {spec.ByteLength} needed.", nameof(destination));
        }

        var geometry = InputGeometry.Of(spec, picture.OriginalWidth, picture.OriginalHeight);
        var (width, height) = spec.Fit(picture.OriginalWidth, picture.OriginalHeight);
        var place = new PicturePlace((int)geometry.OffsetX, (int)geometry.OffsetY, width, height);
        var normal = new Normalisation(spec);

        // Scratch: the blended source row (one pixel more, see Blend), a planar row, and for each output column its left source
        // pixel and the weight of the right one.
        var blendedLength = (picture.Width + 1) * Picture.BytesPerPixel;
        var scratch = ArrayPool<float>.Shared.Rent(blendedLength + (3 * width) + width);
        var columns = ArrayPool<int>.Shared.Rent(width);
        try
        {
            var blended = scratch.AsSpan(0, blendedLength);
            var planar = scratch.AsSpan(blendedLength, 3 * width);
            var weights = scratch.AsSpan(blendedLength + (3 * width), width);
            var offsets = columns.AsSpan(0, width);
            for (var x = 0; x < width; x++)
            {
                (var column, weights[x]) = RowInterpolation.Sample(x, picture.OriginalWidth, width, picture.Reduction, picture.OverhangLeft, picture.Width);
                offsets[x] = column * Picture.BytesPerPixel;
            }

            var tensor = new TensorWriter(spec, normal, destination);
            tensor.Pad(place);
            for (var y = 0; y < height; y++)
            {
                var (row, weight) = RowInterpolation.Sample(y, picture.OriginalHeight, height, picture.Reduction, picture.OverhangTop, picture.Height);
                var upper = picture.Pixels.Slice(row * picture.Stride, picture.Stride);
                var lower = picture.Pixels.Slice(Math.Min(row + 1, picture.Height - 1) * picture.Stride, picture.Stride);
                RowInterpolation.Blend(upper, lower, weight, blended);

                var rows = tensor.Rows(place, y, planar);
                RowInterpolation.Interpolate(blended, offsets, weights, normal, rows);
                tensor.Finish(place, y, rows);
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(columns);
            ArrayPool<float>.Shared.Return(scratch);
        }

        return geometry;
    }
}
