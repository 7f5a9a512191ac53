using System.Buffers.Text;
using System.Text;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Base64 in a JSON string.</summary>
internal static class JsonBase64
{
    /// <summary>
    /// Replaces, in place, the JSON escapes that can be a character of base64; many encoders write <c>\/</c>. Other escapes cannot be
    /// base64: they stay, and the decoder refuses them.
    /// </summary>
    public static int Unescape(Span<byte> text)
    {
        var from = text.IndexOf((byte)'\\');
        if (from < 0)
        {
            return text.Length;
        }

        var to = from;
        while (from < text.Length)
        {
            var rest = text[from..];
            if (rest.StartsWith("\\/"u8))
            {
                text[to++] = (byte)'/';
                from += 2;
            }
            else if (rest.StartsWith("\\u00"u8) && rest.Length >= 6 && Utf8Parser.TryParse(rest.Slice(4, 2), out byte code, out var used, 'x') && used == 2)
            {
                text[to++] = code;
                from += 6;
            }
            else if (rest.StartsWith("\\n"u8) || rest.StartsWith("\\r"u8) || rest.StartsWith("\\t"u8))
            {
                // Line breaks and tabs, as MIME encoders insert them; base64 ignores white space.
                text[to++] = (byte)'\n';
                from += 2;
            }
            else if (from == 0 && rest.Length >= 6 && Ascii.EqualsIgnoreCase(rest[..6], "\\ufeff"u8))
            {
                // A byte order mark.
                from += 6;
            }
            else
            {
                text[to++] = text[from++];
            }
        }

        return to;
    }
}
