namespace Detection.Inference.Pictures;

/// <summary>
/// Upper bounds for the memory that codecs need besides the pixels of the picture, in bytes. They were read from the sources of libjpeg-turbo,
/// libpng, libwebp and Wuffs, which SkiaSharp uses.
/// </summary>
internal static class DecodingNeed
{
    // Rows of samples that a decoder keeps before it computes pixels: rows of blocks, of their neighbours, and of enlarged colour.
    private const long RowsOfSamples = 64;
    private const long BytesPerCoefficient = 2;

    /// <summary>Bytes that the codec needs for a JPEG.</summary>
    public static long OfJpeg(in JpegStructure structure)
    {
        var rows = RowsOfSamples * structure.Width * structure.ComponentCount;
        var coefficients = structure.HoldsCoefficients ? BytesPerCoefficient * structure.SamplesOfAPass : 0;
        var copy = structure.Ends ? 0 : PixelBuffer.SizeOf(structure.DataEnd);
        return rows + coefficients + copy;
    }

    /// <summary>Bytes that the codec needs for another format.</summary>
    public static long Of(ReadOnlySpan<byte> encoded, PictureFormat format, int width, int height)
    {
        var rows = RowsOfSamples * width;
        var pixels = (long)width * height;
        return format switch
        {
            // An interlaced picture is assembled in a separate buffer, of up to four channels of 16 bits.
            PictureFormat.Png => rows + (encoded.Length > 28 && encoded[28] != 0 ? 8 * pixels : 0),

            // Lossless data is decoded as a whole, and so is a transparency channel.
            PictureFormat.WebP => rows + (encoded.Length > 15 && encoded[15] == (byte)' ' ? 0 : 5 * pixels),
            PictureFormat.Gif => rows + (5 * pixels),
            _ => rows,
        };
    }
}
