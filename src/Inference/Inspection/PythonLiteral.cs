using System.Globalization;
using System.Text;

namespace Detection.Inference.Inspection;

/// <summary>
/// Reads the text forms in which exporters leave lists in metadata: Python's <c>{0: 'person', 1: 'car'}</c>,
/// <c>['person', 'car']</c>, <c>[640, 640]</c>, and the same in JSON.
/// </summary>
internal static class PythonLiteral
{
    /// <summary>The names in the order of their numbers; <see langword="null"/> when the text is something else.</summary>
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

        // A gap would shift every name after it.
        return names.Count == 0 || names.Keys.Last() == names.Count - 1 ? [.. names.Values] : null;
    }

    /// <summary>The whole numbers of a list, or a single one; <see langword="null"/> when the text is something else.</summary>
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
                return items;
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

    /// <summary>A quoted text or a bare word.</summary>
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

        var quote = text[at++];
        var result = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            var next = text[at++];
            if (next != '\\' || at >= text.Length)
            {
                result.Append(next);
                continue;
            }

            var escaped = text[at++];
            var digits = escaped switch { 'x' => 2, 'u' => 4, _ => 0 };
            if (digits == 0)
            {
                result.Append(escaped switch { 'n' => '\n', 't' => '\t', _ => escaped });
            }
            else if (at + digits <= text.Length
                && int.TryParse(text.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                result.Append((char)code);
                at += digits;
            }
            else
            {
                return null;
            }
        }

        return at++ < text.Length ? result.ToString() : null;
    }

    private static void SkipSpace(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
    }
}
