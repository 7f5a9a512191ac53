using System.Text.RegularExpressions;
using ArchUnitNET.Fluent.Slices;
using ArchUnitNET.xUnitV3;

namespace Detection.Architecture.Tests;

/// <summary>The folders of a project use each other in one direction. A folder is a namespace (<see cref="NamespaceTests"/>).</summary>
public sealed partial class FolderTests
{
    private const string Folders = "cycles-of-folders";

    private const string Meaning = "These folders use each other in a circle. Move the type that both need below them, or turn the use around:";

    [Fact]
    public void First_folders_of_a_project_have_no_cycles() =>
        Violations.Compare("cycles-of-first-folders", Meaning, InCycles(static type => Product.FolderOf(type).Split('.')[0]));

    [Fact]
    public void Folders_of_a_project_have_no_cycles() =>
        Violations.Compare(Folders, Meaning, InCycles(Product.FolderOf));

    /// <summary>The same rule with ArchUnitNET. It finds fewer uses, but it is independent of our code.</summary>
    [Fact]
    public void Slices_of_a_project_have_no_cycles()
    {
        var circular = Violations.KnownOf(Folders).Select(static line => line.Split(':')[0]).ToHashSet();
        foreach (var project in Product.Projects.Where(project => !circular.Contains(project)))
        {
            SliceRuleDefinition.Slices().Matching($"Detection.{project}.(**)").Should().BeFreeOfCycles().Check(Product.Architecture);
        }
    }

    /// <summary>
    /// <c>docs/architecture.md</c> has a line for each project with folders, <c>- Project: A · B/C → D</c>. The folders of a group use only
    /// folders of the groups before it.
    /// </summary>
    [Fact]
    public void Folders_use_each_other_in_the_order_of_the_document()
    {
        var order = new Dictionary<string, int>();
        foreach (Match line in OrderLine().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs/architecture.md"))))
        {
            var groups = line.Groups[2].Value.Split('→');
            for (var i = 0; i < groups.Length; i++)
            {
                foreach (var folder in groups[i].Split('·', StringSplitOptions.TrimEntries))
                {
                    order.Add($"{line.Groups[1].Value}: {folder.Replace('/', '.')}", i);
                }
            }
        }

        string[] folders = [.. Product.Uses.Select(static use => use.User).Where(static type => Product.FolderOf(type) != Product.Root).Select(PlaceOf).Distinct()];
        Assert.Equal(folders.Order(StringComparer.Ordinal), order.Keys.Order(StringComparer.Ordinal));
        Assert.All(
            Product.Uses.Where(use => use.User.Project == use.Used.Project && PlaceOf(use.User) != PlaceOf(use.Used) && order.ContainsKey(PlaceOf(use.User)) && order.ContainsKey(PlaceOf(use.Used))),
            use => Assert.True(order[PlaceOf(use.User)] > order[PlaceOf(use.Used)], $"{use}, and docs/architecture.md has {PlaceOf(use.Used)} not before {PlaceOf(use.User)}."));

        static string PlaceOf(TypeName type) => $"{type.Project}: {Product.FolderOf(type)}";
    }

    private static IEnumerable<(string Violation, string Details)> InCycles(Func<TypeName, string> folderOf) =>
        from project in Product.Projects
        let uses = Product.Uses.Where(use => use.User.Project == project && use.Used.Project == project && folderOf(use.User) != folderOf(use.Used)).ToList()
        let circular = Cycles.EdgesOf([.. uses.Select(use => (folderOf(use.User), folderOf(use.Used)))]).ToHashSet()
        from use in uses
        where circular.Contains((folderOf(use.User), folderOf(use.Used)))
        select ($"{project}: {folderOf(use.User)} -> {folderOf(use.Used)}", use.ToString());

    [GeneratedRegex(@"^- (\w+): (\w.*)$", RegexOptions.Multiline)]
    private static partial Regex OrderLine();
}
