using System.Text.RegularExpressions;

namespace Detection.Deployment.Tests.Configuration;

/// <summary>A row of a table of settings, for one of its settings.</summary>
internal sealed record DocumentedSetting(string Key, string Readers, string Default, string Meaning);

/// <summary>The tables of settings in a Markdown file: those whose first column is headed <c>setting</c>.</summary>
internal static partial class DocumentedSettings
{
    /// <summary>
    /// Reads them. A row may have several settings, <c>`Detection:A:X`, `Y`</c>, and as many defaults, separated by commas.
    /// </summary>
    public static IReadOnlyList<DocumentedSetting> Read(string file)
    {
        var settings = new List<DocumentedSetting>();
        string[]? columns = null;
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, file)))
        {
            if (!line.StartsWith('|'))
            {
                columns = null;
                continue;
            }

            string[] cells = [.. Separator().Split(line.Trim().Trim('|')).Select(static cell => cell.Trim())];
            if (cells[0] == "setting")
            {
                columns = cells;
            }
            else if (columns is not null && cells[0].StartsWith('`'))
            {
                Assert.True(cells.Length == columns.Length, $"{file}: this row has {cells.Length} columns instead of {columns.Length}: {line}");
                settings.AddRange(Read(cells[0], Cell("readers"), Cell("default"), Cell("meaning")));
            }

            string Cell(string column) => Array.IndexOf(columns!, column) is >= 0 and var index ? cells[index] : "";
        }

        Assert.NotEmpty(settings);
        return settings;
    }

    private static IEnumerable<DocumentedSetting> Read(string names, string readers, string defaults, string meaning)
    {
        string[] keys = [.. Code().Matches(names).Select(static match => match.Groups[1].Value)];
        var section = keys[0][..(keys[0].LastIndexOf(':') + 1)];
        var several = defaults.Split(", ");
        for (var i = 0; i < keys.Length; i++)
        {
            yield return new DocumentedSetting(
                keys[i].Contains(':', StringComparison.Ordinal) ? keys[i] : section + keys[i],
                readers,
                keys.Length > 1 && several.Length == keys.Length ? several[i] : defaults,
                meaning);
        }
    }

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex Separator();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
