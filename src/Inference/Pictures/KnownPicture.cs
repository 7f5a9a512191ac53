using System.Runtime.InteropServices;

namespace Detection.Inference.Pictures;

/// <summary>
/// A drawn picture in which detectors trained on photographs find something: a stop sign, a clock, a traffic light, a ball. It tries devices,
/// and tells readings of a graph apart. <c>tests/pictures/known-picture.cs</c> draws it.
/// </summary>
public static class KnownPicture
{
    private static readonly byte[] Encoded = Read();

    /// <summary>The picture as a JPEG of 416×312.</summary>
    public static ReadOnlyMemory<byte> Bytes => Encoded;

    /// <summary>The picture, or its mirror image, left and right exchanged.</summary>
    internal static Picture Decode(bool mirrored)
    {
        var picture = PictureDecoder.Decode(Encoded, new PictureLimits());
        if (mirrored)
        {
            for (var y = 0; y < picture.Height; y++)
            {
                MemoryMarshal.Cast<byte, uint>(picture.Pixels.Slice(y * picture.Stride, picture.Stride)).Reverse();
            }
        }

        return picture;
    }

    private static byte[] Read()
    {
        using var stream = typeof(KnownPicture).Assembly.GetManifestResourceStream("Detection.Inference.Pictures.known-picture.jpg")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
