using System.Text.Json;
using System.Text.RegularExpressions;

namespace Detection.Frontend.Tests.Documents;

/// <summary>A command of a document that runs curl.</summary>
/// <param name="Line">Number of its first line, from 1.</param>
/// <param name="Text">The command; several lines when it continues.</param>
/// <param name="Status">Expected status, from a comment after it such as <c># 401</c>; 0 for any success.</param>
/// <param name="Variables">The assignments before it in the document.</param>
/// <param name="Answers">The names of properties in the answers that the document shows for its block; empty without an answer.</param>
internal sealed partial record CurlCommand(int Line, string Text, int Status, string Variables, IReadOnlyList<IReadOnlySet<string>> Answers)
{
    /// <summary>
    /// All commands of a document, in their order: in blocks with a shell's language or without one, and in text between backquotes.
    /// A block of JSON before the next heading or shell block is the answer to the block before it.
    /// </summary>
    public static IReadOnlyList<CurlCommand> Find(string markdown)
    {
        var commands = new List<CurlCommand>();
        var lines = markdown.Split('\n');
        var variables = "";
        var block = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith('#'))
            {
                block = commands.Count;
            }
            else if (lines[i].StartsWith("```", StringComparison.Ordinal))
            {
                var language = lines[i][3..].Trim();
                var first = i + 1;
                for (i = first; !lines[i].StartsWith("```", StringComparison.Ordinal); i++)
                {
                }

                if (language is "" or "sh" or "bash" or "shell" or "console")
                {
                    block = commands.Count;
                    Read(lines, first, i, commands, ref variables);
                }
                else if (language == "json")
                {
                    var shown = Names(string.Join('\n', lines[first..i]));
                    for (var at = block; at < commands.Count; at++)
                    {
                        commands[at] = commands[at] with { Answers = [.. commands[at].Answers, .. shown] };
                    }
                }
            }
            else
            {
                foreach (Match span in Span().Matches(lines[i]))
                {
                    commands.Add(new CurlCommand(i + 1, span.Groups[1].Value, Promise(span.Groups[1].Value), variables, []));
                }
            }
        }

        return commands;
    }

    /// <summary>The property names of each object in a text of JSON objects.</summary>
    public static IReadOnlyList<IReadOnlySet<string>> Names(string text)
    {
        var found = new List<IReadOnlySet<string>>();
        var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(text), new JsonReaderOptions { AllowMultipleValues = true });
        try
        {
            while (reader.Read())
            {
                using var value = JsonDocument.ParseValue(ref reader);
                if (value.RootElement.ValueKind == JsonValueKind.Object)
                {
                    found.Add(value.RootElement.EnumerateObject().Select(property => property.Name).ToHashSet());
                }
            }
        }
        catch (JsonException)
        {
            // Not JSON, or the end of the text.
        }

        return found;
    }

    private static void Read(string[] lines, int first, int end, List<CurlCommand> commands, ref string variables)
    {
        for (var i = first; i < end; i++)
        {
            var line = i + 1;
            var text = lines[i];
            while (i + 1 < end && (text.EndsWith('|') || text.EndsWith('\\')))
            {
                text += "\n" + lines[++i];
            }

            if (Assignment().IsMatch(text))
            {
                variables += text + "\n";
            }
            else if (Curl().IsMatch(text))
            {
                commands.Add(new CurlCommand(line, text, Promise(text), variables, []));
            }
        }
    }

    private static int Promise(string text) =>
        Comment().Match(text) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex("`(curl [^`]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"^[A-Z_]+=\S")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"(^|[\s|(])curl\s")]
    private static partial Regex Curl();

    [GeneratedRegex(@"\s#\s*([1-5]\d\d)\b[^\n]*$")]
    private static partial Regex Comment();
}
