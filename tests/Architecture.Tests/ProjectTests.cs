using ArchUnitNET.Fluent;
using ArchUnitNET.xUnitV3;

namespace Detection.Architecture.Tests;

/// <summary>Projects use each other in one direction.</summary>
public sealed class ProjectTests
{
    /// <summary>The projects whose types the types of a project may use.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Objects"] = [],
        ["Contracts"] = ["Objects"],
        ["Client"] = ["Contracts", "Objects"],
        ["AspNetCore"] = ["Client", "Contracts", "Objects"],
        ["Inference"] = ["Objects"],
        ["Grains"] = ["Contracts", "Inference", "Objects"],
        ["Hosting"] = ["Grains", "Contracts", "Inference", "Objects"],
        ["Silo"] = ["Hosting"],
        ["Embedded"] = ["Hosting", "Client", "Contracts", "Objects"],
        ["Frontend"] = ["Embedded", "Hosting", "Client", "Contracts", "Inference", "Objects"],
        ["Tool"] = ["Inference", "Objects"],
    };

    /// <summary>Packages that a project must not use, by the prefixes of their namespaces.</summary>
    private static readonly Dictionary<string, string[]> Foreign = new()
    {
        ["Objects"] = ["Orleans", "StackExchange", "Microsoft", "SkiaSharp"],
        ["Inference"] = ["Orleans", "StackExchange", "Microsoft.AspNetCore"],
        ["Tool"] = ["Orleans", "StackExchange", "Microsoft.AspNetCore"],
        ["Contracts"] = ["Microsoft.ML", "SkiaSharp"],
        ["Client"] = ["Microsoft.ML", "SkiaSharp"],
        ["Frontend"] = ["Microsoft.ML", "SkiaSharp", "Garnet"],
    };

    [Fact]
    public void Every_project_has_its_arrows() =>
        Assert.All(Product.Projects, static project => Assert.True(Arrows.ContainsKey(project), $"Write here whose types {project} may use."));

    [Fact]
    public void Projects_use_only_those_below_them() => Violations.Compare(
        "arrows-of-projects",
        "These uses go against the arrows between the projects (docs/architecture.md). Move the type down to where both may see it:",
        from use in Product.Uses
        where use.Used.IsOurs && use.User.Project != use.Used.Project && !Arrows[use.User.Project].Contains(use.Used.Project)
        select use);

    [Fact]
    public void Projects_do_not_need_packages_of_others() => Violations.Compare(
        "packages-of-projects",
        "These types need a package that their project does without:",
        from use in Product.Uses
        where !use.Used.IsOurs && Foreign.TryGetValue(use.User.Project, out var foreign) && foreign.Any(start => Begins(use.Used.Namespace, start))
        select use);

    /// <summary>The same rule with ArchUnitNET. It finds fewer uses, but it is independent of our code.</summary>
    [Fact]
    public void Inference_knows_neither_Orleans_nor_Redis()
    {
        var cluster = ArchRuleDefinition.Types(includeReferenced: true).That().HaveFullNameMatching(@"^(Orleans|StackExchange\.Redis)\.");
        ArchRuleDefinition.Types().That().ResideInNamespaceMatching(@"^Detection\.Inference(\.|$)").Should().NotDependOnAny(cluster).Check(Product.Architecture);
    }

    private static bool Begins(string name, string start) => name == start || name.StartsWith(start + ".", StringComparison.Ordinal);
}
