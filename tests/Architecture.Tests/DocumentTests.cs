using System.Text.RegularExpressions;

namespace Detection.Architecture.Tests;

/// <summary>The links of the documents point to existing targets, and the files that they name exist. Links to other sites are not checked.</summary>
public sealed partial class DocumentTests
{
    /// <summary>Begins a part of a path that the reader replaces; the path before it exists.</summary>
    private const string Placeholder = "NAME";

    private static readonly string[] Folders = [".github", "deploy", "docs", "models", "samples", "src", "tests"];

    public static readonly TheoryData<string> Documents =
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.md")
            .Concat(Folders.SelectMany(static folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.md", SearchOption.AllDirectories)))
            .Select(static file => Path.GetRelativePath(Repository.Root, file))
            .Where(static file => !file.Split('/').Any(static part => part is "bin" or "obj"))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_lead_to_files_and_headings(string document)
    {
        var text = Code().Replace(File.ReadAllText(Path.Combine(Repository.Root, document)), "");
        foreach (var link in Link().Matches(text).Select(static match => match.Groups[1].Value).Where(static link => !link.Contains(':', StringComparison.Ordinal)))
        {
            var parts = link.Split('#', 2);
            var target = parts[0].Length == 0 ? document : Path.Combine(Path.GetDirectoryName(document)!, parts[0]);
            var path = Path.Combine(Repository.Root, target);
            Assert.True(Path.Exists(path), $"{document} links to {link}, which does not exist.");
            Assert.True(parts.Length == 1 || Anchors(path).Contains(parts[1]), $"{document} links to {link}, and {Path.GetFileName(target)} has no such heading.");
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Files_that_are_named_exist(string document)
    {
        // Old entries may name files that no longer exist.
        if (document == "CHANGELOG.md")
        {
            return;
        }

        foreach (Match match in NamedPath().Matches(File.ReadAllText(Path.Combine(Repository.Root, document))))
        {
            var named = match.Groups[1].Value;
            var existing = named.Contains(Placeholder, StringComparison.Ordinal) ? named[..named.LastIndexOf('/', named.IndexOf(Placeholder, StringComparison.Ordinal))] : named;
            Assert.True(Path.Exists(Path.Combine(Repository.Root, existing)), $"{document} names `{named}`, and {existing} does not exist.");
        }
    }

    /// <summary>The anchors that a site such as GitHub gives to the headings of a document.</summary>
    private static HashSet<string> Anchors(string path) =>
    [
        .. Heading().Matches(Code().Replace(File.ReadAllText(path), ""))
            .Select(static match => NotInAnchors().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-')),
    ];

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();

    [GeneratedRegex(@"`((?:src|tests|bench|docs|deploy|samples|\.ci|\.github|\.devcontainer)/[\w./-]+)`")]
    private static partial Regex NamedPath();
}
