using ArchUnitNET.Fluent.Slices;
using ArchUnitNET.xUnitV3;

namespace Detection.Architecture.Tests;

/// <summary>Inside a project folders use each other in one direction. A folder is a namespace (<see cref="NamespaceTests"/>).</summary>
public sealed class FolderTests
{
    private const string Folders = "cycles-of-folders";

    private const string Meaning = "These folders use each other in a circle. Move the type that both need below them, or turn the use around:";

    [Fact]
    public void First_folders_of_a_project_have_no_cycles() =>
        Violations.Compare("cycles-of-first-folders", Meaning, InCycles(static type => Product.FolderOf(type).Split('.')[0]));

    [Fact]
    public void Folders_of_a_project_have_no_cycles() =>
        Violations.Compare(Folders, Meaning, InCycles(Product.FolderOf));

    /// <summary>What ArchUnitNET sees. It finds fewer uses, but is not our code.</summary>
    [Fact]
    public void Slices_of_a_project_have_no_cycles()
    {
        var circular = Violations.KnownOf(Folders).Select(static line => line.Split(':')[0]).ToHashSet();
        foreach (var project in Product.Projects.Where(project => !circular.Contains(project)))
        {
            SliceRuleDefinition.Slices().Matching($"Detection.{project}.(**)").Should().BeFreeOfCycles().Check(Product.Architecture);
        }
    }

    private static IEnumerable<(string Violation, string Details)> InCycles(Func<TypeName, string> folderOf) =>
        from project in Product.Projects
        let uses = Product.Uses.Where(use => use.User.Project == project && use.Used.Project == project && folderOf(use.User) != folderOf(use.Used)).ToList()
        let circular = Cycles.EdgesOf([.. uses.Select(use => (folderOf(use.User), folderOf(use.Used)))]).ToHashSet()
        from use in uses
        where circular.Contains((folderOf(use.User), folderOf(use.Used)))
        select ($"{project}: {folderOf(use.User)} -> {folderOf(use.Used)}", use.ToString());
}
