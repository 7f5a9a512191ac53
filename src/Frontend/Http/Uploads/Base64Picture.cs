using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>
/// A picture in base64, also as a <c>data:</c> URL; with the alphabet of URLs (RFC 4648), without padding, and with white space too, as
/// encoders of mail, browsers and shells write it.
/// </summary>
internal static class Base64Picture
{
    private static ReadOnlySpan<byte> DataScheme => "data:"u8;

    /// <summary>Whether a text begins as <c>data:image/png;base64,…</c> does.</summary>
    public static bool IsDataUrl(ReadOnlySpan<byte> text) =>
        text.Length >= DataScheme.Length && Ascii.EqualsIgnoreCase(text[..DataScheme.Length], DataScheme);

    /// <summary>Decodes the text at a place in <paramref name="bytes"/> where it stands, and keeps only the picture.</summary>
    /// <param name="bytes">Holds the text, and the picture afterwards.</param>
    /// <param name="start">Where the text begins.</param>
    /// <param name="length">Its length, in bytes.</param>
    /// <param name="field">What the caller calls it.</param>
    /// <param name="limit">Most bytes of the picture.</param>
    /// <exception cref="ProblemException">It is not base64, or the picture too large.</exception>
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

    /// <summary>Decodes in place. The decoder of the alphabet of URLs is the one that takes a text without padding.</summary>
    private static bool TryDecode(Span<byte> text, out int written)
    {
        text.Replace((byte)'+', (byte)'-');
        text.Replace((byte)'/', (byte)'_');
        written = 0;

        // It would take this for padding.
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

    /// <summary>Writes a picture in base64; a part of one when it is no multiple of 3 bytes only at the end.</summary>
    public static void Encode(ReadOnlySpan<byte> picture, IBufferWriter<byte> writer)
    {
        Base64.EncodeToUtf8(picture, writer.GetSpan(Base64.GetMaxEncodedToUtf8Length(picture.Length)), out _, out var written);
        writer.Advance(written);
    }
}
