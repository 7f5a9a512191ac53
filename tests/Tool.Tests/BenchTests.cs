using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Detection.Tool.Tests;

/// <summary><c>detection bench</c>.</summary>
public sealed partial class BenchTests
{
    [Fact]
    public async Task Bench_measures_one_cell()
    {
        var run = (await DetectionTool.RunAsync("bench", "nanodet-g", "--seconds", "0.2", "--threads", "1", "--batches", "2", "--device", "cpu")).Expect(0);

        var row = Assert.Single(run.Lines, line => Row().IsMatch(line));
        Assert.InRange(double.Parse(Row().Match(row).Groups["rate"].Value, CultureInfo.InvariantCulture), 0.1, 100_000);
        Assert.Contains("| threads | batch 2 |", run.Output, StringComparison.Ordinal);
        Assert.Contains("threads 1, batch 2: ", run.Error, StringComparison.Ordinal);
        Assert.Contains("inference ", run.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bench_uses_the_pictures_of_a_folder()
    {
        string[] common = ["bench", "nanodet-g", "--seconds", "0.1", "--threads", "1", "--batches", "1", "--images"];
        (await DetectionTool.RunAsync([.. common, Path.Combine(Repository.Root, "tests", "pictures")])).Expect(0);

        var none = (await DetectionTool.RunAsync([.. common, Path.Combine(Repository.Root, "models")])).Expect(1);
        Assert.Contains("has no pictures", none.Error, StringComparison.Ordinal);

        // An invalid picture is named, and nothing is measured.
        var bad = (await DetectionTool.RunAsync([.. common, Path.Combine(Repository.Root, "tests", "pictures", "edge")])).Expect(1);
        Assert.Contains("pictures/edge/", bad.Error, StringComparison.Ordinal);
        Assert.Empty(bad.Output);
    }

    [Fact]
    public async Task Bench_stops_cleanly_after_Ctrl_C()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no kill(1).");
        await using var bench = ChildProcess.Start(
            "bench",
            "dotnet",
            [DetectionTool.Program, "bench", "nanodet-g", "--seconds", "0.5", "--threads", .. Enumerable.Range(1, 200).Select(n => n.ToString(CultureInfo.InvariantCulture))],
            workingDirectory: Repository.Root);
        await Eventually.Async(
            _ => Task.FromResult(bench.Log.Contains("threads 1, batch 1", StringComparison.Ordinal)), TimeSpan.FromMinutes(1), "the first cell is measured");
        Assert.False(bench.HasExited);

        using var kill = Process.Start("kill", ["-INT", bench.Id.ToString(CultureInfo.InvariantCulture)])!;
        await bench.ExitAsync(TimeSpan.FromSeconds(25));

        Assert.Equal(130, bench.ExitCode);
        Assert.EndsWith("Stopped.", bench.Log.TrimEnd(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", bench.Log, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^\|\s+1 \|\s+(?<rate>[\d.]+) \|$")]
    private static partial Regex Row();
}
