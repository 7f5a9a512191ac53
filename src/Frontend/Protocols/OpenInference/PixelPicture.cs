using System.Buffers.Binary;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>Writes pixels as a picture: an uncompressed Windows BMP with 24 bits per pixel.</summary>
internal static class PixelPicture
{
    /// <summary>Values of a pixel: red, green and blue.</summary>
    public const int Channels = 3;

    /// <summary>Largest width and height of a BMP that can be decoded.</summary>
    public const int MaxSide = 65_535;

    private const int Head = 54;

    /// <summary>Writes the picture after the pixels, and keeps only the picture in <paramref name="body"/>.</summary>
    /// <param name="body">Has the pixels at its end, row by row from the top.</param>
    /// <param name="start">Start of the pixels.</param>
    /// <param name="height">Number of rows.</param>
    /// <param name="width">Number of pixels in a row.</param>
    /// <param name="limit">Maximum number of bytes of the picture.</param>
    /// <exception cref="ProblemException">The picture has more bytes.</exception>
    public static void Write(PooledBytes body, int start, int height, int width, int limit)
    {
        var row = width * Channels;
        var stride = (row + 3) & ~3;
        var whole = Head + ((long)stride * height);
        if (whole > limit)
        {
            throw ProblemException.TooLarge(limit);
        }

        var (size, end) = ((int)whole, body.Span.Length);
        var picture = body.GetSpan(size)[..size];
        WriteHead(picture[..Head], size, width, height);
        var pixels = body.Span[start..end];
        for (var y = 0; y < height; y++)
        {
            // A BMP begins with the last row, and each pixel with blue.
            var from = pixels.Slice(y * row, row);
            var to = picture.Slice(Head + ((height - 1 - y) * stride), stride);
            for (var x = 0; x < row; x += Channels)
            {
                (to[x], to[x + 1], to[x + 2]) = (from[x + 2], from[x + 1], from[x]);
            }

            to[row..].Clear();
        }

        body.Advance(size);
        body.Slice(end, size);
    }

    private static void WriteHead(Span<byte> head, int size, int width, int height)
    {
        head.Clear();
        "BM"u8.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head[2..], size);
        BinaryPrimitives.WriteInt32LittleEndian(head[10..], Head);
        BinaryPrimitives.WriteInt32LittleEndian(head[14..], 40);
        BinaryPrimitives.WriteInt32LittleEndian(head[18..], width);
        BinaryPrimitives.WriteInt32LittleEndian(head[22..], height);
        BinaryPrimitives.WriteInt16LittleEndian(head[26..], 1);
        BinaryPrimitives.WriteInt16LittleEndian(head[28..], 8 * Channels);
        BinaryPrimitives.WriteInt32LittleEndian(head[34..], size - Head);
    }
}
