using System.Numerics;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Detection.Inference.Pictures;

/// <summary>
/// Decodes JPEG, PNG, WebP, GIF and BMP into upright 8-bit colour. Of animations the first frame counts; transparent pictures are
/// laid on white; grey, palette, 16-bit and CMYK pictures become RGB; colour profiles are not applied. JPEG goes through
/// libjpeg-turbo where the system has it, all else through SkiaSharp.
/// </summary>
public static class PictureDecoder
{
    /// <summary>Which library decodes JPEG: <c>libjpeg-turbo</c> or <c>SkiaSharp</c>.</summary>
    public static string JpegCodec => TurboJpeg.IsAvailable ? "libjpeg-turbo" : "SkiaSharp";

    /// <summary>Reads format and size without decoding, and checks both limits.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">What is allowed.</param>
    /// <exception cref="PictureException">The picture cannot be used.</exception>
    public static unsafe PictureHeader ReadHeader(ReadOnlySpan<byte> encoded, PictureLimits limits)
    {
        var format = Identify(encoded, limits);
        fixed (byte* bytes = encoded)
        {
            using var data = SKData.Create((nint)bytes, encoded.Length);
            using var codec = Open(data, format);
            return ReadHeader(codec, format, limits);
        }
    }

    /// <summary>Decodes a picture.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">What is allowed, checked before anything is decoded.</param>
    /// <param name="minWidth">
    /// Width in pixels that is needed, 0 for all: a JPEG may then be decoded at 1/2, 1/4 or 1/8, at least this wide and
    /// <paramref name="minHeight"/> high.
    /// </param>
    /// <param name="minHeight">Height in pixels that is needed, 0 for all.</param>
    /// <returns>The picture, to be disposed.</returns>
    /// <exception cref="PictureException">The picture cannot be used.</exception>
    public static Picture Decode(ReadOnlySpan<byte> encoded, PictureLimits limits, int minWidth = 0, int minHeight = 0) =>
        Decode(encoded, limits, minWidth, minHeight, TurboJpeg.IsAvailable);

    /// <summary>As above, with or without libjpeg-turbo.</summary>
    internal static unsafe Picture Decode(ReadOnlySpan<byte> encoded, PictureLimits limits, int minWidth, int minHeight, bool turbo)
    {
        var format = Identify(encoded, limits);
        fixed (byte* bytes = encoded)
        {
            using var data = SKData.Create((nint)bytes, encoded.Length);
            using var codec = Open(data, format);
            var header = ReadHeader(codec, format, limits);
            var reduction = 1;
            if (format == PictureFormat.Jpeg)
            {
                CheckJpeg(encoded, limits);
                reduction = Reduction(header, minWidth, minHeight);
            }
            else
            {
                CheckCost(PictureCost.Of(encoded), format, limits);
            }

            var stored = Picture.CreateReduced(codec.Info.Width, codec.Info.Height, reduction);
            try
            {
                if (format != PictureFormat.Jpeg || !turbo || !TurboJpeg.TryDecode(encoded, stored))
                {
                    Decode(codec, stored, format);
                }

                if (codec.EncodedOrigin is SKEncodedOrigin.TopLeft or 0)
                {
                    var whole = stored;
                    stored = null;
                    return whole;
                }

                var upright = Picture.CreateReduced(header.Width, header.Height, reduction);
                Orientation.Apply(stored, upright, codec.EncodedOrigin);
                return upright;
            }
            finally
            {
                stored?.Dispose();
            }
        }
    }

    private static PictureFormat Identify(ReadOnlySpan<byte> encoded, PictureLimits limits)
    {
        if (encoded.Length > limits.MaxBytes)
        {
            throw new PictureException(
                PictureFault.TooLarge, $"The picture has {encoded.Length} bytes; at most {limits.MaxBytes} are allowed.");
        }

        return PictureSniffer.Sniff(encoded);
    }

    private static void CheckJpeg(ReadOnlySpan<byte> encoded, PictureLimits limits)
    {
        var structure = JpegStructure.Read(encoded);
        if (structure.Scans > limits.MaxScans)
        {
            throw new PictureException(
                PictureFault.Unsupported, $"The JPEG picture has more than {limits.MaxScans} scans. Save it again as an ordinary JPEG.");
        }

        CheckCost(PictureCost.OfJpeg(structure), PictureFormat.Jpeg, limits);
        if (!structure.Ends)
        {
            throw new PictureException(PictureFault.Undecodable, "The JPEG picture is truncated.");
        }
    }

    private static void CheckCost(double cost, PictureFormat format, PictureLimits limits)
    {
        if (cost > limits.MaxCost)
        {
            throw new PictureException(
                PictureFault.Unsupported,
                $"The {Name(format)} picture costs as much to decode as {cost:0} photos of one megapixel; at most {limits.MaxCost} are allowed.");
        }
    }

    private static SKCodec Open(SKData data, PictureFormat format) =>
        SKCodec.Create(data)
        ?? throw new PictureException(PictureFault.Undecodable, $"The {Name(format)} picture is damaged or truncated: its header cannot be read.");

    private static PictureHeader ReadHeader(SKCodec codec, PictureFormat format, PictureLimits limits)
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width < 1 || height < 1)
        {
            throw new PictureException(PictureFault.Undecodable, $"The {Name(format)} picture has no pixels.");
        }

        // The second bound keeps the size of a buffer within an int whatever the setting.
        if ((long)width * height > Math.Min(limits.MaxPixels, Array.MaxLength / Picture.BytesPerPixel))
        {
            throw new PictureException(
                PictureFault.TooLarge, $"The picture has {width} × {height} pixels; at most {limits.MaxPixels} are allowed.");
        }

        return Orientation.Swaps(codec.EncodedOrigin) ? new(format, height, width) : new(format, width, height);
    }

    private static int Reduction(in PictureHeader header, int minWidth, int minHeight)
    {
        if (minWidth <= 0 || minHeight <= 0)
        {
            return 1;
        }

        var reduction = 8;
        while (reduction > 1 && (header.Width / reduction < minWidth || header.Height / reduction < minHeight))
        {
            reduction /= 2;
        }

        return reduction;
    }

    private static unsafe void Decode(SKCodec codec, Picture picture, PictureFormat format)
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
                PictureFault.Undecodable,
                result == SKCodecResult.IncompleteInput
                    ? $"The {Name(format)} picture is truncated."
                    : $"The {Name(format)} picture is damaged ({result}).");
        }

        if (!opaque)
        {
            LayOnWhite(picture.Pixels);
        }
    }

    // Premultiplied colours are at most their alpha, so that no channel overflows into the next.
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

    private static string Name(PictureFormat format) => format switch
    {
        PictureFormat.Jpeg => "JPEG",
        PictureFormat.Png => "PNG",
        PictureFormat.WebP => "WebP",
        PictureFormat.Gif => "GIF",
        _ => "BMP",
    };
}
