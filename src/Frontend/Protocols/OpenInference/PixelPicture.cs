using System.Buffers.Binary;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>Makes a picture of pixels: a BMP with 24 bits for each, without compression, as Windows writes it.</summary>
internal static class PixelPicture
{
    /// <summary>Values of a pixel: red, green and blue.</summary>
    public const int Channels = 3;

    private const int Head = 54;

    /// <summary>Writes the picture behind the pixels, and keeps only it.</summary>
    /// <param name="body">Has the pixels at its end, row by row from the top.</param>
    /// <param name="start">Where they begin.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="limit">Most bytes of the picture.</param>
    /// <exception cref="ProblemException">It has more.</exception>
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
            // The last row comes first, and of each pixel blue.
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
