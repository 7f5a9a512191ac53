using System.Text.RegularExpressions;

namespace Detection.Hosting.Settings;

/// <summary>A setting of the programs.</summary>
/// <param name="Key">Its key. A part <c>0</c> stands for the numbers of a list, a part <c>NAME</c> for any name.</param>
/// <param name="Readers">Who reads it: <c>S</c> silo, <c>F</c> front end.</param>
/// <param name="Default">The value when it is not set.</param>
/// <param name="Meaning">What it does.</param>
internal sealed record KnownSetting(string Key, string Readers, string Default, string Meaning)
{
    private const string Number = "0";
    private const string Name = "NAME";

    private readonly string[] _parts = Key.Split(ConfigurationPath.KeyDelimiter);

    /// <summary>The key of this setting with the numbers and names of another key at their places. It is the correct spelling of that key.</summary>
    public string WithNamesOf(string other)
    {
        var parts = other.Split(ConfigurationPath.KeyDelimiter);
        return ConfigurationPath.Combine(_parts.Select((part, i) =>
            i < parts.Length && parts[i].Length > 0 && (part == Name || (part == Number && parts[i].All(char.IsAsciiDigit))) ? parts[i] : part));
    }

    /// <summary>Whether a key is a key of this setting.</summary>
    public bool Is(string key) => WithNamesOf(key).Equals(key, StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// All settings of the programs. They are read from the table of docs/configuration.md, which is embedded in this assembly, so that the document,
/// <c>--help</c> and the check of names have the same text. A test compares it with the options types.
/// </summary>
internal static partial class SettingsReference
{
    private const string Resource = "Detection.Hosting.Settings.configuration.md";

    /// <summary>The settings in the order of the document.</summary>
    public static IReadOnlyList<KnownSetting> All { get; } = Read();

    private static List<KnownSetting> Read()
    {
        using var stream = typeof(SettingsReference).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n')
            .Where(static line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(static line => ReadRow([.. line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries)]))];
    }

    /// <summary>A row may have several settings of a section, and their defaults, separated by commas.</summary>
    private static IEnumerable<KnownSetting> ReadRow(string[] cells)
    {
        string[] names = [.. Code().Matches(cells[0]).Select(static match => match.Groups["text"].Value)];
        var section = ConfigurationPath.GetParentPath(names[0]);
        var defaults = cells[2].Split(", ");
        return names.Select((name, i) => new KnownSetting(
            i == 0 || name.Contains(ConfigurationPath.KeyDelimiter, StringComparison.Ordinal) ? name : ConfigurationPath.Combine(section!, name),
            cells[1],
            Plain(names.Length > 1 && defaults.Length == names.Length ? defaults[i] : cells[2]),
            Plain(cells[3])));
    }

    /// <summary>Markdown as plain text.</summary>
    private static string Plain(string markdown) => Link().Replace(markdown, "${text}").Replace("`", "", StringComparison.Ordinal);

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\[(?<text>[^]]+)]\([^)]*\)")]
    private static partial Regex Link();
}
