using System.Globalization;
using System.Text;

namespace Detection.Inference.Inspection;

/// <summary>
/// Reads the text formats of lists that exporters write into metadata: Python's <c>{0: 'person', 1: 'car'}</c>,
/// <c>['person', 'car']</c>, <c>[640, 640]</c>, and the same in JSON. It reads all that Python's <c>repr</c> writes of texts.
/// </summary>
internal static class PythonLiteral
{
    /// <summary>The names in the order of their numbers; <see langword="null"/> when the text is not a list of names.</summary>
    public static List<string>? Names(string text)
    {
        var items = Items(text, out var isMap);
        if (items is null)
        {
            return null;
        }

        if (!isMap)
        {
            return [.. items.Select(i => i.Value)];
        }

        var names = new SortedDictionary<int, string>();
        foreach (var (key, value) in items)
        {
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || !names.TryAdd(number, value))
            {
                return null;
            }
        }

        // A gap would shift all names after it.
        return names.Count == 0 || names.Keys.Last() == names.Count - 1 ? [.. names.Values] : null;
    }

    /// <summary>The whole numbers of a list, or a single number; <see langword="null"/> when the text contains neither.</summary>
    public static List<int>? Numbers(string text)
    {
        var parts = text.Trim().TrimStart('[', '(').TrimEnd(']', ')').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var numbers = new List<int>();
        foreach (var part in parts)
        {
            if (!int.TryParse(part, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private static List<(string Key, string Value)>? Items(string text, out bool isMap)
    {
        var at = 0;
        SkipSpace(text, ref at);
        isMap = at < text.Length && text[at] == '{';
        var close = isMap ? '}' : at < text.Length && text[at] == '(' ? ')' : ']';
        if (at >= text.Length || text[at++] is not ('{' or '[' or '('))
        {
            return null;
        }

        var items = new List<(string, string)>();
        while (true)
        {
            SkipSpace(text, ref at);
            if (at < text.Length && text[at] == close)
            {
                at++;
                SkipSpace(text, ref at);
                return at == text.Length ? items : null;
            }

            if (Scalar(text, ref at) is not { } first)
            {
                return null;
            }

            var second = first;
            SkipSpace(text, ref at);
            if (isMap)
            {
                if (at >= text.Length || text[at++] != ':')
                {
                    return null;
                }

                SkipSpace(text, ref at);
                if (Scalar(text, ref at) is not { } value)
                {
                    return null;
                }

                second = value;
                SkipSpace(text, ref at);
            }

            items.Add((first, second));
            if (at < text.Length && text[at] == ',')
            {
                at++;
            }
            else if (at >= text.Length || text[at] != close)
            {
                return null;
            }
        }
    }

    /// <summary>A quoted text or a word without quotes.</summary>
    private static string? Scalar(string text, ref int at)
    {
        if (at >= text.Length)
        {
            return null;
        }

        if (text[at] is not ('\'' or '"'))
        {
            var start = at;
            while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] is '-' or '.' or '_'))
            {
                at++;
            }

            return at > start ? text[start..at] : null;
        }

        return Quoted(text, ref at);
    }

    /// <summary>A quoted text with the escapes of Python and JSON.</summary>
    private static string? Quoted(string text, ref int at)
    {
        var quote = text[at++];
        var result = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            if (text[at] != '\\')
            {
                result.Append(text[at++]);
            }
            else if (at + 1 == text.Length || !TryAppendEscape(text, ref at, result))
            {
                return null;
            }
        }

        if (at++ >= text.Length)
        {
            return null;
        }

        // Half of a surrogate pair is no character: it becomes U+FFFD, as it does wherever the name is written.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(result.ToString()));
    }

    /// <summary>Reads the escape that begins at <paramref name="at"/>. <see langword="false"/> when it means no character.</summary>
    private static bool TryAppendEscape(string text, ref int at, StringBuilder result)
    {
        var escaped = text[at + 1];
        if (escaped is >= '0' and <= '7')
        {
            var code = 0;
            var end = Math.Min(text.Length, at + 4);
            for (at++; at < end && text[at] is >= '0' and <= '7'; at++)
            {
                code = (8 * code) + text[at] - '0';
            }

            result.Append((char)code);
            return true;
        }

        at += 2;
        var digits = escaped switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            if (at + digits > text.Length
                || !uint.TryParse(text.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                || code > 0x10FFFF)
            {
                return false;
            }

            at += digits;
            _ = code > char.MaxValue ? result.Append(char.ConvertFromUtf32((int)code)) : result.Append((char)code);
            return true;
        }

        switch (escaped)
        {
            case '\\' or '\'' or '"' or '/':
                result.Append(escaped);
                break;
            case '\n':
                break; // A line that goes on.
            case 'N':
                return false; // A name of Unicode's, of which there is no list here.
            default:
                var simple = "abfnrtv".IndexOf(escaped, StringComparison.Ordinal);
                _ = simple >= 0 ? result.Append("\a\b\f\n\r\t\v"[simple]) : result.Append('\\').Append(escaped);
                break;
        }

        return true;
    }

    private static void SkipSpace(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
    }
}
