using Detection.Objects;
using SkiaSharp;

namespace Detection.Inference.Pictures;

/// <summary>
/// Decodes JPEG, PNG, WebP, GIF and BMP into upright 8-bit colour. Of an animation, the first frame is decoded; transparent pictures get a white
/// background; grey, palette, 16-bit and CMYK pictures become RGB; colour profiles are not applied. JPEG is decoded by libjpeg-turbo if the system
/// has it, all other formats by SkiaSharp.
/// </summary>
public static class PictureDecoder
{
    /// <summary>The library that decodes JPEG: <c>libjpeg-turbo</c> or <c>SkiaSharp</c>.</summary>
    public static string JpegCodec => TurboJpeg.IsAvailable ? "libjpeg-turbo" : "SkiaSharp";

    /// <summary>Reads format and size without decoding, and checks both limits.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">Limits of the picture.</param>
    /// <exception cref="PictureException">The picture cannot be used.</exception>
    public static unsafe PictureHeader ReadHeader(ReadOnlySpan<byte> encoded, PictureLimits limits)
    {
        var format = Identify(encoded, limits);
        fixed (byte* bytes = encoded)
        {
            using var data = SKData.Create((nint)bytes, encoded.Length);
            using var codec = Open(data, format);
            return ReadHeader(codec, OriginOf(codec, encoded, format), format, limits);
        }
    }

    /// <summary>Decodes a picture.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">Limits of the picture, checked before decoding.</param>
    /// <param name="minWidth">
    /// Width in pixels that is needed, 0 for all: a JPEG may then be decoded at 1/2, 1/4 or 1/8, with at least this width and <paramref name="minHeight"/>.
    /// </param>
    /// <param name="minHeight">Height in pixels that is needed, 0 for all.</param>
    /// <returns>The picture. Dispose it.</returns>
    /// <exception cref="PictureException">The picture cannot be used.</exception>
    /// <exception cref="TimeoutException">The memory for it did not become free within a minute.</exception>
    public static Picture Decode(ReadOnlySpan<byte> encoded, PictureLimits limits, int minWidth = 0, int minHeight = 0) =>
        Decode(encoded, limits, minWidth, minHeight, DecodingTurn.Default);

    /// <summary>Decodes a picture with memory of a <see cref="DecodingTurn"/>.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="limits">Limits of the picture, checked before decoding.</param>
    /// <param name="minWidth">As above.</param>
    /// <param name="minHeight">As above.</param>
    /// <param name="turn">Its memory. The picture keeps its part of the memory until it is disposed.</param>
    /// <returns>The picture. Dispose it.</returns>
    /// <exception cref="PictureException">The picture cannot be used.</exception>
    /// <exception cref="TimeoutException">The memory for it did not become free in time.</exception>
    /// <exception cref="OperationCanceledException">The wait for memory was cancelled.</exception>
    public static Picture Decode(ReadOnlySpan<byte> encoded, PictureLimits limits, int minWidth, int minHeight, in DecodingTurn turn) =>
        Decode(encoded, limits, minWidth, minHeight, TurboJpeg.IsAvailable, turn);

    /// <summary>As above, with or without libjpeg-turbo.</summary>
    internal static Picture Decode(ReadOnlySpan<byte> encoded, PictureLimits limits, int minWidth, int minHeight, bool turbo) =>
        Decode(encoded, limits, minWidth, minHeight, turbo, DecodingTurn.Default);

    /// <summary>As above, with or without libjpeg-turbo.</summary>
    internal static unsafe Picture Decode(
        ReadOnlySpan<byte> encoded, PictureLimits limits, int minWidth, int minHeight, bool turbo, in DecodingTurn turn)
    {
        var format = Identify(encoded, limits);
        var jpeg = format == PictureFormat.Jpeg ? JpegFile.Read(encoded) : default;
        fixed (byte* bytes = encoded)
        {
            using var data = SKData.Create((nint)bytes, encoded.Length);
            using var codec = Open(data, format);
            var origin = OriginOf(codec, encoded, format);
            var header = ReadHeader(codec, origin, format, limits);
            var (width, height) = (codec.Info.Width, codec.Info.Height);
            var reduction = 1;
            long need;
            if (format == PictureFormat.Jpeg)
            {
                jpeg.Check(width, height, limits);
                reduction = Reduction(header, minWidth, minHeight);
                need = DecodingNeed.OfJpeg(jpeg.Structure);
            }
            else
            {
                limits.CheckCost(PictureCost.Of(encoded), format);
                need = DecodingNeed.Of(encoded, format, width, height);
            }

            var turned = origin != SKEncodedOrigin.TopLeft;
            var pixels = PixelBuffer.SizeOf(Picture.BytesOf(width, height, reduction));
            var share = turn.Memory.Take(need + pixels + (turned ? pixels : 0) + turn.AdditionalBytes, turn.Wait, turn.Cancellation);
            Picture? stored = null;
            try
            {
                stored = Picture.CreateReduced(width, height, reduction);
                if (format == PictureFormat.Jpeg)
                {
                    jpeg.Decode(encoded, codec, stored, turbo);
                }
                else
                {
                    SkiaPixels.Decode(codec, stored, format);
                }

                var upright = turned ? Turn(stored, header, origin) : stored;
                stored = turned ? stored : null;
                share.Shrink(pixels + turn.AdditionalBytes);
                upright.Share = share;
                share = null;
                return upright;
            }
            finally
            {
                stored?.Dispose();
                share?.Dispose();
            }
        }
    }

    private static Picture Turn(Picture stored, in PictureHeader header, SKEncodedOrigin origin)
    {
        var upright = Picture.CreateReduced(header.Width, header.Height, stored.Reduction);
        Orientation.Apply(stored, upright, origin);
        return upright;
    }

    private static PictureFormat Identify(ReadOnlySpan<byte> encoded, PictureLimits limits)
    {
        if (encoded.Length > limits.MaxBytes)
        {
            throw new PictureException(
                FailureReason.TooLarge, $"The picture has {encoded.Length} bytes; at most {limits.MaxBytes} are allowed.");
        }

        return PictureSniffer.Sniff(encoded);
    }

    private static SKCodec Open(SKData data, PictureFormat format) =>
        SKCodec.Create(data)
        ?? throw new PictureException(FailureReason.Undecodable, $"The {format.Name()} picture is damaged or truncated: its header cannot be read.");

    private static SKEncodedOrigin OriginOf(SKCodec codec, ReadOnlySpan<byte> encoded, PictureFormat format) =>
        codec.EncodedOrigin is SKEncodedOrigin.TopLeft or 0 ? Exif.Orientation(encoded, format) : codec.EncodedOrigin;

    private static PictureHeader ReadHeader(SKCodec codec, SKEncodedOrigin origin, PictureFormat format, PictureLimits limits)
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width < 1 || height < 1)
        {
            throw new PictureException(FailureReason.Undecodable, $"The {format.Name()} picture has no pixels.");
        }

        // The second limit keeps the size of a buffer within an int for any setting.
        if ((long)width * height > Math.Min(limits.MaxPixels, Array.MaxLength / Picture.BytesPerPixel))
        {
            throw new PictureException(
                FailureReason.TooLarge, $"The picture has {width} × {height} pixels; at most {limits.MaxPixels} are allowed.");
        }

        return Orientation.Swaps(origin) ? new(format, height, width) : new(format, width, height);
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
}
