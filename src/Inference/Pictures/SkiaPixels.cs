using System.Numerics;
using System.Runtime.InteropServices;
using Detection.Objects;
using SkiaSharp;

namespace Detection.Inference.Pictures;

/// <summary>Decodes pixels with SkiaSharp.</summary>
internal static class SkiaPixels
{
    /// <summary>Decodes into <paramref name="picture"/>, whose size gives the scale; transparent pixels get a white background.</summary>
    /// <exception cref="PictureException">The picture is truncated or damaged.</exception>
    public static unsafe void Decode(SKCodec codec, Picture picture, PictureFormat format)
    {
        var opaque = codec.Info.IsOpaque;
        var info = new SKImageInfo(
            picture.Width, picture.Height, SKColorType.Rgba8888, opaque ? SKAlphaType.Opaque : SKAlphaType.Premul);
        SKCodecResult result;
        fixed (byte* pixels = picture.Pixels)
        {
            result = codec.GetPixels(info, (nint)pixels, picture.Stride, SKCodecOptions.Default);
        }

        if (result != SKCodecResult.Success)
        {
            throw new PictureException(
                FailureReason.Undecodable,
                result == SKCodecResult.IncompleteInput
                    ? $"The {format.Name()} picture is truncated."
                    : $"The {format.Name()} picture is damaged ({result}).");
        }

        if (!opaque)
        {
            LayOnWhite(picture.Pixels);
        }
    }

    // Premultiplied colours are at most their alpha, so no channel overflows into the next.
    private static void LayOnWhite(Span<byte> pixels)
    {
        var all = MemoryMarshal.Cast<byte, uint>(pixels);
        var vectors = MemoryMarshal.Cast<uint, Vector<uint>>(all);
        for (var i = 0; i < vectors.Length; i++)
        {
            var alpha = vectors[i] >>> 24;
            vectors[i] = (vectors[i] + ((new Vector<uint>(255) - alpha) * 0x010101)) | new Vector<uint>(0xFF000000);
        }

        for (var i = vectors.Length * Vector<uint>.Count; i < all.Length; i++)
        {
            all[i] = (all[i] + ((255 - (all[i] >> 24)) * 0x010101)) | 0xFF000000;
        }
    }
}
