using System.Buffers;
using System.Buffers.Text;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>A picture in base64, also as a <c>data:</c> URL; white space is allowed.</summary>
internal static class Base64Picture
{
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

        // "data:image/png;base64,…", as browsers write it.
        if (text.StartsWith("data:"u8))
        {
            var skip = text.IndexOf((byte)',') + 1;
            text = text[skip..];
            start += skip;
        }

        if (Base64.DecodeFromUtf8InPlace(text, out var written) != OperationStatus.Done)
        {
            throw new ProblemException(ProblemType.InvalidRequest, $"The '{field}' is not valid base64.");
        }

        if (written > limit)
        {
            throw ProblemException.TooLarge(limit);
        }

        bytes.Slice(start, written);
    }

    /// <summary>Writes a picture in base64; a part of one when it is no multiple of 3 bytes only at the end.</summary>
    public static void Encode(ReadOnlySpan<byte> picture, IBufferWriter<byte> writer)
    {
        Base64.EncodeToUtf8(picture, writer.GetSpan(Base64.GetMaxEncodedToUtf8Length(picture.Length)), out _, out var written);
        writer.Advance(written);
    }
}
