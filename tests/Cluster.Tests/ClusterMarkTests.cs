using Detection.Contracts.Security;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Cluster.Tests;

/// <summary>The marks that silos compare before they join are compatible in each step of a change of secret or authority, and in no other case.</summary>
public sealed class ClusterMarkTests
{
    private const string Old = "correct-horse-battery-staple-0001";
    private const string New = "correct-horse-battery-staple-0002";

    [Theory]
    [InlineData(Old, Old, true)]
    [InlineData(Old, Old + " " + New, true)]
    [InlineData(Old + " " + New, New + " " + Old, true)]
    [InlineData(New + " " + Old, New, true)]
    [InlineData(Old, New, false)]
    [InlineData(Old, "", false)]
    [InlineData("", "", true)]
    public void Marks_of_two_secrets_are_compatible_when_their_connections_are(string one, string other, bool joins)
    {
        var marks = (Of(new() { Secret = one }), Of(new() { Secret = other }));

        Assert.Equal((joins, joins), Compare(marks));
    }

    [Fact]
    public void Mark_does_not_reveal_the_secret_and_belongs_to_one_cluster()
    {
        var mark = Of(new() { Secret = Old });

        Assert.DoesNotContain(Old, mark.Own, StringComparison.Ordinal);
        Assert.NotEqual(mark.Own, Of(new() { Secret = Old }, "another").Own);
    }

    [Fact]
    public void Marks_of_two_authorities_are_compatible_in_each_step_of_a_change()
    {
        using var before = new ClusterAuthority();
        using var after = new ClusterAuthority();
        using var stranger = new ClusterAuthority();
        var both = Path.Combine(Path.GetDirectoryName(after.Path)!, "both.crt");
        File.WriteAllText(both, File.ReadAllText(before.Path) + "\n" + File.ReadAllText(after.Path));
        // Both authorities, then the new certificates, then the old authority is removed.
        ClusterMark[] steps =
        [
            Of(Options(before, before.Path)), Of(Options(before, both)), Of(Options(after, both)), Of(Options(after, after.Path)),
        ];

        for (var step = 1; step < steps.Length; step++)
        {
            Assert.Equal((true, true), Compare((steps[step - 1], steps[step])));
        }

        Assert.Equal((false, false), Compare((steps[0], steps[^1])));
        Assert.Equal((false, false), Compare((steps[1], Of(Options(stranger, stranger.Path)))));
        Assert.Equal((false, false), Compare((steps[0], Of(new ClusterSecurityOptions()))));
    }

    private static (bool, bool) Compare((ClusterMark One, ClusterMark Other) marks) =>
        (marks.Other.Accepted.Contains(marks.One.Own), marks.One.Accepted.Contains(marks.Other.Own));

    private static ClusterMark Of(ClusterSecurityOptions options, string cluster = "detection") =>
        new ClusterSecurity(Microsoft.Extensions.Options.Options.Create(options), TimeProvider.System, NullLoggerFactory.Instance).MarkOf(cluster);

    private static ClusterSecurityOptions Options(ClusterAuthority issuer, string authorities)
    {
        var settings = issuer.Issue("silo");
        return new ClusterSecurityOptions
        {
            Certificate = settings[DetectionSettings.Certificate]!,
            Key = settings[DetectionSettings.CertificateKey]!,
            Authority = authorities,
        };
    }
}
