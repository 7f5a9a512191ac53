using System.Globalization;
using System.Text;

namespace Detection.Contracts.Messages;

/// <summary>Makes texts of callers safe to show in answers and logs.</summary>
public static class CallerText
{
    /// <summary>Maximum length of a name, an id or a value in a message, in characters.</summary>
    public const int NameLength = 200;

    /// <summary>Maximum length of a whole message, in characters.</summary>
    public const int MessageLength = 2000;

    private const char Ellipsis = '…';

    /// <summary>
    /// The text, cut after its first <paramref name="length"/> characters and then marked with an ellipsis. Control characters, line separators,
    /// characters that change the direction of writing and halves of surrogate pairs are written as <c>\u001b</c>: a terminal that shows a log
    /// executes control characters, and the others can make a text look like another one.
    /// </summary>
    public static string Show(string? text, int length = NameLength)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        return text.Length <= length && !NeedsEscape(text) ? text : Rewrite(text.AsSpan(), length);
    }

    /// <summary>As <see cref="Show(string?, int)"/>, for UTF-8. Reads no more of it than is shown.</summary>
    public static string Show(ReadOnlySpan<byte> utf8, int length = NameLength)
    {
        // A character takes one to four bytes.
        var beginning = utf8[..Math.Min(utf8.Length, 4 * length)];
        var text = Encoding.UTF8.GetString(beginning);
        return Show(text, beginning.Length < utf8.Length ? Math.Min(length, text.Length - 1) : length);
    }

    private static string Rewrite(ReadOnlySpan<char> text, int length)
    {
        var shown = new StringBuilder(Math.Min(text.Length, length) + 1);
        var rest = text;
        while (!rest.IsEmpty)
        {
            // Invalid UTF-16 decodes to the replacement character and uses one char.
            var isWhole = Rune.DecodeFromUtf16(rest, out var rune, out var used) == System.Buffers.OperationStatus.Done;
            if (text.Length - rest.Length + used > length)
            {
                return shown.Append(Ellipsis).ToString();
            }

            if (isWhole && !NeedsEscape(rune))
            {
                shown.Append(rest[..used]);
            }
            else
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)rest[0]:x4}");
            }

            rest = rest[used..];
        }

        return shown.ToString();
    }

    private static bool NeedsEscape(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (NeedsEscape(rune) || rune == Rune.ReplacementChar)
            {
                return true;
            }
        }

        return false;
    }

    private static bool NeedsEscape(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || rune.Value is 0x061C or (>= 0x200E and <= 0x200F) or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
