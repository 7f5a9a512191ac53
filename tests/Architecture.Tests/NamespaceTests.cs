using System.Text.RegularExpressions;

namespace Detection.Architecture.Tests;

/// <summary>The namespace of a type is the project's name and its folders.</summary>
public sealed partial class NamespaceTests
{
    /// <summary>The fixtures have one namespace, because every test project uses them.</summary>
    private const string Fixtures = "tests/Testing";

    [Fact]
    public void Namespace_is_the_folder() => Violations.Compare(
        "namespaces",
        "These files are in another namespace than their folder says:",
        from project in Directory.EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories)
        let folder = Path.GetDirectoryName(project)!
        where Path.GetRelativePath(Repository.Root, folder) != Fixtures
        let root = RootNamespace().Match(File.ReadAllText(project)) is { Success: true } named ? named.Groups[1].Value : Path.GetFileNameWithoutExtension(project)
        from file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        let below = Path.GetRelativePath(folder, Path.GetDirectoryName(file)!)
        where below.Split('/')[0] is not ("obj" or "bin")
        let expected = below == "." ? root : $"{root}.{below.Replace('/', '.')}"
        from Match declared in Namespace().Matches(File.ReadAllText(file))
        where declared.Groups[1].Value != expected
        select ($"{Path.GetRelativePath(Repository.Root, file)}: {declared.Groups[1].Value}", $"{expected} is expected."));

    [GeneratedRegex(@"^namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex("<RootNamespace>(.+?)</RootNamespace>")]
    private static partial Regex RootNamespace();
}
