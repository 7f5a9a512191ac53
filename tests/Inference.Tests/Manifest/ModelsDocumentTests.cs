using System.Text.RegularExpressions;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Tests.Manifest;

/// <summary><c>docs/models.md</c> has every family and every line of the manifest.</summary>
public sealed partial class ModelsDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Testing.Repository.Root, "docs", "models.md"));

    [Fact]
    public void Every_family_is_there() =>
        Assert.All(HeadFamilies.Names, family => Assert.Contains($"`{family}`", Document, StringComparison.Ordinal));

    [Fact]
    public void Every_line_of_the_manifest_is_there_and_no_other()
    {
        var known = ManifestJsonContext.Default.ModelManifest.Properties.Select(p => p.Name).Except(["input", "head"])
            .Concat(ManifestJsonContext.Default.InputSpec.Properties.Select(p => p.Name).Except(["byteLength"]).Select(name => $"input.{name}"))
            .Concat(ManifestJsonContext.Default.HeadOptions.Properties.Select(p => p.Name).Select(name => $"head.{name}"));
        var table = Document[Document.IndexOf("## The manifest", StringComparison.Ordinal)..];
        var written = new List<string>();
        foreach (Match row in Row().Matches(table))
        {
            var group = "";
            foreach (var name in row.Groups["names"].Value.Split(',', StringSplitOptions.TrimEntries).Select(name => name.Trim('`')))
            {
                group = name.Contains('.', StringComparison.Ordinal) ? name[..(name.IndexOf('.', StringComparison.Ordinal) + 1)] : group;
                written.Add(name.StartsWith(group, StringComparison.Ordinal) ? name : group + name);
            }
        }

        Assert.Equal(known.Order(StringComparer.Ordinal), written.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"^\| (?<names>`[^|]+`) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
