using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Detection.Deployment.Tests.Files;

/// <summary>The pipelines and their scripts. GitHub runs them; here they are read, and the scripts run with simulated package managers.</summary>
public sealed partial class PipelineTests
{
    public static readonly TheoryData<string> Workflows = [.. Directory.GetFiles(Path.Combine(Repository.Root, ".github/workflows")).Select(static file => Path.GetFileName(file))];

    public static readonly TheoryData<string, string> Scripts = new()
    {
        // The packages that apt-cache knows on each system, and the packages that are installed then.
        { "redis-server curl libturbojpeg0 chromium unzip", "redis-server curl libturbojpeg0 chromium unzip" },
        { "redis-server curl libturbojpeg chromium unzip", "redis-server curl libturbojpeg chromium unzip" },
    };

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Every_action_is_pinned_by_commit_and_named_by_version(string workflow)
    {
        var lines = File.ReadLines(Path.Combine(Repository.Root, ".github/workflows", workflow)).Where(static line => line.Contains("uses:", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(lines);
        Assert.All(lines, static line => Assert.Matches(Pinned(), line));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public async Task Every_command_is_one_for_the_shell_and_names_files_that_are_there(string workflow)
    {
        foreach (var run in Runs(workflow))
        {
            var script = Expression().Replace(run, "x");
            Assert.Equal((0, ""), await HelmChart.RunAsync("bash", ["-n", "-c", script]));
            Assert.All(Named().Matches(script).Select(static match => match.Value), static path => Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), path));
        }
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Jobs_wait_for_jobs_that_are_there_and_use_only_their_outputs(string workflow)
    {
        var jobs = ((YamlMappingNode)Read(workflow)["jobs"]).Children.ToDictionary(static job => job.Key.ToString(), static job => (YamlMappingNode)job.Value);
        foreach (var (name, job) in jobs)
        {
            var needs = job.Children.TryGetValue("needs", out var node) ? node is YamlSequenceNode list ? list.Select(static need => need.ToString()).ToList() : [node.ToString()] : [];
            Assert.All(needs, need => Assert.Contains(need, jobs.Keys));
            foreach (Match use in Output().Matches(string.Join('\n', Runs(job)) + Texts(job)))
            {
                Assert.Contains(use.Groups[1].Value, needs);
                Assert.True(((YamlMappingNode)jobs[use.Groups[1].Value]["outputs"]).Children.ContainsKey(use.Groups[2].Value), $"{name}: {use.Value}");
            }
        }
    }

    [Fact]
    public async Task Release_notes_are_the_section_of_the_version_or_nothing_is_released()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "# Changelog\n\n## [Unreleased]\n- later\n\n## [1.10.0] - 2026-01-02\n\n## [1.1.0] - 2026-01-01\n### Added\n- this\n\n## [1.0.0]\n- that\n");

            Assert.Equal((0, "### Added\n- this"), await NotesAsync("1.1.0"));
            Assert.NotEqual(0, (await NotesAsync("1.10.0")).ExitCode);
            Assert.NotEqual(0, (await NotesAsync("1.1")).ExitCode);
            Assert.Equal((0, "- that"), await NotesAsync("1.0.0"));
        }
        finally
        {
            File.Delete(file);
        }

        async Task<(int ExitCode, string Output)> NotesAsync(string version)
        {
            var (exitCode, output) = await HelmChart.RunAsync(".ci/release-notes", [version, file]);
            return (exitCode, output.Trim());
        }
    }

    /// <summary>Runs the script on a machine without the tools: its PATH has replacements of apt and npm that record their calls.</summary>
    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task Packages_have_the_names_that_the_system_gives_them(string known, string installed)
    {
        var (exitCode, calls) = await InstallAsync(known);

        // npm cannot install Helm here, so the script fails after the part that is tested.
        Assert.NotEqual(0, exitCode);
        Assert.Contains($"apt-get install -q -y --no-install-recommends {installed}\n", calls, StringComparison.Ordinal);
        Assert.Contains("npm pack", calls, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_without_a_known_browser_package_reports_it()
    {
        var (exitCode, calls) = await InstallAsync("redis-server curl libturbojpeg npm unzip");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("no package of the name 'chromium'", calls, StringComparison.Ordinal);
        Assert.DoesNotContain("apt-get install", calls, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Calls)> InstallAsync(string known)
    {
        var folder = Directory.CreateTempSubdirectory("install");
        try
        {
            foreach (var tool in new[] { "bash", "grep", "mktemp", "rm" })
            {
                File.CreateSymbolicLink(Path.Combine(folder.FullName, tool), Executables.Find(tool)!);
            }

            Write("ldconfig", "exit 0");
            Write("sudo", "shift; exec \"$@\"");
            Write("sleep", "exit 0");
            Write("apt-get", "echo \"apt-get $*\"");
            Write("apt-cache", $$"""
                case " {{known}} " in
                  *" $2 "*) printf '%s:\n  Installed: (none)\n  Candidate: 1.0-1\n' "$2" ;;
                  *) printf '%s:\n  Installed: (none)\n  Candidate: (none)\n' "$2" ;;
                esac
                """);
            Write("npm", "echo \"npm $*\" >&2; exit 1");

            await using var process = ChildProcess.Start(
                "install",
                Path.Combine(folder.FullName, "bash"),
                [Path.Combine(Repository.Root, ".ci/install"), Path.Combine(folder.FullName, "tools")],
                new Dictionary<string, string?> { ["PATH"] = folder.FullName });
            await process.ExitAsync(TimeSpan.FromMinutes(1));
            return (process.ExitCode, process.Log.ReplaceLineEndings("\n") + "\n");
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        void Write(string name, string script)
        {
            var file = Path.Combine(folder.FullName, name);
            File.Delete(file);
            File.WriteAllText(file, $"#!/bin/bash\n{script}\n");
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }

    private static YamlMappingNode Read(string workflow)
    {
        using var text = File.OpenText(Path.Combine(Repository.Root, ".github/workflows", workflow));
        var yaml = new YamlStream();
        yaml.Load(text);
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    private static IEnumerable<string> Runs(string workflow) =>
        ((YamlMappingNode)Read(workflow)["jobs"]).Children.Values.SelectMany(static job => Runs((YamlMappingNode)job));

    private static IEnumerable<string> Runs(YamlMappingNode job) => ((YamlSequenceNode)job["steps"])
        .Select(static step => ((YamlMappingNode)step).Children.TryGetValue("run", out var run) ? run.ToString() : null).OfType<string>();

    private static string Texts(YamlMappingNode job) => string.Join('\n', job.AllNodes.OfType<YamlScalarNode>().Select(static node => node.Value));

    [GeneratedRegex(@"uses: [\w./-]+@[0-9a-f]{40} # v[0-9.]+$")]
    private static partial Regex Pinned();

    [GeneratedRegex(@"\$\{\{[^}]*\}\}")]
    private static partial Regex Expression();

    [GeneratedRegex(@"needs\.(\w+)\.outputs\.(\w+)")]
    private static partial Regex Output();

    [GeneratedRegex(@"(?<![\w/.-])(?:\.ci|deploy|tests|src)/[\w./-]+(?![\w$*{""])")]
    private static partial Regex Named();
}
