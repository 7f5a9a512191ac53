using System.Text.RegularExpressions;

namespace Detection.Deployment.Tests.Configuration;

/// <summary><c>docs/configuration.md</c> has every setting that the code has, with its default, and no other.</summary>
public sealed partial class ConfigurationReferenceTests
{
    private const string Reference = "docs/configuration.md";

    /// <summary>The documents with settings and their defaults.</summary>
    public static readonly TheoryData<string> Documents = [Reference, "README.md", "docs/api.md", "src/Client/README.md"];

    [Fact]
    public void Every_setting_is_in_the_reference()
    {
        var documented = Own(Reference).Select(static row => row.Key).ToHashSet();

        AssertNone(BoundSettings.All.Values
            .Where(setting => !documented.Contains(setting.Key))
            .Select(setting => $"{Reference} lacks {setting.Source}. Add to its table:\n  | `{setting.Key}` | S or F | {setting.DefaultText} | what it means |"));
    }

    [Fact]
    public void Every_setting_of_the_reference_exists()
    {
        AssertNone(Documents.SelectMany(static document => Own(document.Data))
            .Where(row => !BoundSettings.All.ContainsKey(row.Key))
            .Select(row => $"`{row.Key}` is documented, and no options type has it. Remove the row, or give the options type `public const string Section = \"…\";`."));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_default_is_the_real_one(string file)
    {
        AssertNone(Own(file)
            .Where(row => BoundSettings.All.TryGetValue(row.Key, out var setting) && !setting.IsDefault(row.Default))
            .Select(row => $"{file}: the default of `{row.Key}` is not \"{row.Default}\". Write: {BoundSettings.All[row.Key].DefaultText}"));
    }

    [Fact]
    public void Every_row_says_what_it_means_and_none_is_there_twice()
    {
        var rows = Own(Reference);

        AssertNone(rows.Where(static row => row.Meaning.Length == 0).Select(static row => $"{Reference} does not say what `{row.Key}` means."));
        AssertNone(rows.GroupBy(static row => row.Key).Where(static group => group.Count() > 1).Select(static group => $"{Reference} has `{group.Key}` twice."));
    }

    [Fact]
    public void Every_options_type_names_its_section()
    {
        AssertNone(BoundSettings.Unbound.Select(static type =>
            $"{type} has no section. Write `public const string Section = \"Detection:…\";` in it and bind it by that constant; this test finds its settings by it."));
    }

    [Fact]
    public void Every_setting_name_in_the_code_is_a_constant()
    {
        AssertNone(Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(static file => File.ReadLines(file).Select((line, index) => (file, line, index)))
            .Where(static at => KeyInCode().IsMatch(at.line) && !at.line.Contains("const string", StringComparison.Ordinal))
            .Select(static at => $"{at.file}({at.index + 1}): the key of a setting in the middle of code. Make it a `const string`; this test finds settings by their constants.\n  {at.line.Trim()}"));
    }

    private static DocumentedSetting[] Own(string file) =>
        [.. DocumentedSettings.Read(file).Where(static row => row.Key.StartsWith("Detection:", StringComparison.Ordinal))];

    private static void AssertNone(IEnumerable<string> faults)
    {
        var all = string.Join('\n', faults);
        Assert.True(all.Length == 0, all);
    }

    [GeneratedRegex("\"Detection(:|__)[A-Za-z]")]
    private static partial Regex KeyInCode();
}
