using System.Buffers;
using System.Security.Cryptography;
using Detection.Objects;
using SkiaSharp;

namespace Detection.Inference.Pictures;

/// <summary>
/// A JPEG file. Kinds that no codec supports are refused; others are decoded by libjpeg-turbo or, if that refuses them, by SkiaSharp. A file without
/// its end is decoded if its coded data is complete.
/// </summary>
internal readonly struct JpegFile
{
    private const byte Lossless = 0xC3;
    private const byte LosslessArithmetic = 0xCB;
    private const int Filler = 64;

    // The only warning that does not concern the data itself: more bytes than the picture needs.
    private const string ExtraneousBytes = "extraneous bytes";

    private static ReadOnlySpan<byte> EndOfImage => [0xFF, 0xD9];

    private JpegFile(in JpegStructure structure) => Structure = structure;

    /// <summary>The content of its markers.</summary>
    public JpegStructure Structure { get; }

    /// <summary>Reads the markers.</summary>
    /// <exception cref="PictureException">The kind is not supported.</exception>
    public static JpegFile Read(ReadOnlySpan<byte> encoded)
    {
        var structure = JpegStructure.Read(encoded);
        var kind = structure.Frame switch
        {
            Lossless or LosslessArithmetic => "Lossless JPEG pictures",
            0xC5 or 0xC6 or 0xC7 or 0xCD or 0xCE or 0xCF => "Hierarchical JPEG pictures",
            not 0 when structure.Precision != 8 => $"JPEG pictures with {structure.Precision} bits a sample",
            _ => null,
        };
        return kind is null
            ? new JpegFile(structure)
            : throw new PictureException(FailureReason.Unsupported, $"{kind} are not supported; send a baseline or progressive one with 8 bits a sample.");
    }

    /// <summary>Refuses a file that takes too much work, or is not complete.</summary>
    /// <param name="width">Width in pixels that the decoder read.</param>
    /// <param name="height">Height in pixels that the decoder read.</param>
    /// <param name="limits">Limits of the picture.</param>
    /// <exception cref="PictureException">The reason.</exception>
    public void Check(int width, int height, PictureLimits limits)
    {
        if (Structure.Width != width || Structure.Height != height)
        {
            throw new PictureException(FailureReason.Undecodable, "The JPEG picture contradicts itself about its size.");
        }

        if (Structure.Scans > limits.MaxScans)
        {
            throw new PictureException(
                FailureReason.Unsupported, $"The JPEG picture has more than {limits.MaxScans} scans. Save it again as an ordinary JPEG.");
        }

        limits.CheckCost(PictureCost.OfJpeg(Structure), PictureFormat.Jpeg);
        if (!Structure.Ends && (!Structure.IsComplete || Structure.IsArithmetic))
        {
            throw Truncated();
        }
    }

    /// <summary>Decodes into <paramref name="picture"/>, whose size gives the scale.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="codec">SkiaSharp's codec of the file.</param>
    /// <param name="picture">Receives the pixels, as stored.</param>
    /// <param name="turbo">Whether libjpeg-turbo may be used.</param>
    /// <exception cref="PictureException">The picture is truncated or damaged.</exception>
    public void Decode(ReadOnlySpan<byte> encoded, SKCodec codec, Picture picture, bool turbo)
    {
        // libjpeg-turbo does not convert the four components of CMYK to colours.
        turbo &= Structure.ComponentCount is 1 or 3;
        if (!Structure.Ends)
        {
            DecodeWithoutEnd(encoded[..Structure.DataEnd].TrimEnd((byte)0xFF), picture, turbo);
            return;
        }

        var refusal = turbo ? TurboJpeg.Decode(encoded, picture, out _) : "";
        if (refusal is null)
        {
            return;
        }

        try
        {
            SkiaPixels.Decode(codec, picture, PictureFormat.Jpeg);
        }
        catch (PictureException) when (refusal.Length > 0)
        {
            throw new PictureException(FailureReason.Undecodable, $"The JPEG picture is damaged ({refusal}).");
        }
    }

    private static PictureException Truncated() => new(FailureReason.Undecodable, "The JPEG picture is truncated.");

    private static void DecodeWithoutEnd(ReadOnlySpan<byte> encoded, Picture picture, bool turbo)
    {
        var copy = ArrayPool<byte>.Shared.Rent(encoded.Length + Filler + 2);
        try
        {
            encoded.CopyTo(copy);
            if (turbo)
            {
                // With an end marker appended, a file with complete data decodes without a warning about the data.
                EndOfImage.CopyTo(copy.AsSpan(encoded.Length));
                if (TurboJpeg.Decode(copy.AsSpan(0, encoded.Length + 2), picture, out var warning) is not null)
                {
                    throw Truncated();
                }

                if (warning is null)
                {
                    return;
                }

                // The library reports only its first warning, which may hide that data is missing.
                if (!warning.Contains(ExtraneousBytes, StringComparison.Ordinal))
                {
                    throw Truncated();
                }
            }

            DecodeTwice(copy, encoded.Length, picture, turbo);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    // Bytes after complete data change no pixel; bytes after truncated data do.
    private static void DecodeTwice(byte[] file, int length, Picture picture, bool turbo)
    {
        EndOfImage.CopyTo(file.AsSpan(length + Filler));
        Span<byte> hashes = stackalloc byte[2 * SHA256.HashSizeInBytes];
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < Filler; i++)
            {
                file[length + i] = (byte)((((i * 29) + 85) >> round) % 255);
            }

            Decode(file.AsSpan(0, length + Filler + 2), picture, turbo);
            SHA256.HashData(picture.Pixels, hashes[(round * SHA256.HashSizeInBytes)..]);
        }

        if (!hashes[..SHA256.HashSizeInBytes].SequenceEqual(hashes[SHA256.HashSizeInBytes..]))
        {
            throw Truncated();
        }
    }

    private static unsafe void Decode(ReadOnlySpan<byte> encoded, Picture picture, bool turbo)
    {
        if (turbo)
        {
            if (TurboJpeg.Decode(encoded, picture, out _) is not null)
            {
                throw Truncated();
            }

            return;
        }

        fixed (byte* bytes = encoded)
        {
            using var data = SKData.Create((nint)bytes, encoded.Length);
            using var codec = SKCodec.Create(data) ?? throw Truncated();
            SkiaPixels.Decode(codec, picture, PictureFormat.Jpeg);
        }
    }
}
