using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>
/// A picture in base64 or as a <c>data:</c> URL. Also accepted are the URL-safe alphabet (RFC 4648), missing padding, and white space,
/// because encoders of mail, browsers and shells write them.
/// </summary>
internal static class Base64Picture
{
    private static ReadOnlySpan<byte> DataScheme => "data:"u8;

    /// <summary>Whether a text begins as <c>data:image/png;base64,…</c> does.</summary>
    public static bool IsDataUrl(ReadOnlySpan<byte> text) =>
        text.Length >= DataScheme.Length && Ascii.EqualsIgnoreCase(text[..DataScheme.Length], DataScheme);

    /// <summary>Decodes the text in place and keeps only the picture in <paramref name="bytes"/>.</summary>
    /// <param name="bytes">Holds the text, and the picture afterwards.</param>
    /// <param name="start">Start of the text.</param>
    /// <param name="length">Length of the text, in bytes.</param>
    /// <param name="field">Name of the field, for the problem.</param>
    /// <param name="limit">Maximum number of bytes of the picture.</param>
    /// <exception cref="ProblemException">The text is not base64, or the picture is too large.</exception>
    public static void Decode(PooledBytes bytes, int start, int length, string field, int limit)
    {
        var text = bytes.Span.Slice(start, length);
        var skip = TextStart.Of(text);
        if (IsDataUrl(text[skip..]))
        {
            skip += text[skip..].IndexOf((byte)',') + 1;
        }

        text = text[skip..];
        start += skip;
        if (!TryDecode(text, out var written))
        {
            throw new ProblemException(ProblemType.InvalidRequest, $"The '{field}' is not valid base64.");
        }

        if (written > limit)
        {
            throw ProblemException.TooLarge(limit);
        }

        bytes.Slice(start, written);
    }

    /// <summary>Decodes in place. Only the decoder of the URL-safe alphabet accepts missing padding, so the text is changed to that alphabet.</summary>
    private static bool TryDecode(Span<byte> text, out int written)
    {
        text.Replace((byte)'+', (byte)'-');
        text.Replace((byte)'/', (byte)'_');
        written = 0;

        // The decoder accepts '%' as padding.
        if (text.Contains((byte)'%'))
        {
            return false;
        }

        try
        {
            written = Base64Url.DecodeFromUtf8InPlace(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Writes a picture, or a part of one, in base64. Every part but the last must have a multiple of 3 bytes.</summary>
    public static void Encode(ReadOnlySpan<byte> picture, IBufferWriter<byte> writer)
    {
        Base64.EncodeToUtf8(picture, writer.GetSpan(Base64.GetMaxEncodedToUtf8Length(picture.Length)), out _, out var written);
        writer.Advance(written);
    }
}
