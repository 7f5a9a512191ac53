using System.Diagnostics;
using System.Reflection;

namespace Detection.Tool.Tests;

/// <summary>The result of a run of the tool.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    /// <summary>The lines of standard output.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Fails with all output unless the run ended with this code, with plain text and without a stack trace.</summary>
    public ToolRun Expect(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"It ended with {ExitCode}.\n{Output}\n{Error}");
        Assert.DoesNotContain('\u001b', Output + Error);
        Assert.DoesNotContain("   at ", Output + Error, StringComparison.Ordinal);
        return this;
    }
}

/// <summary>The built tool, run as a separate process.</summary>
internal static class DetectionTool
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <summary>The program.</summary>
    public static string Program { get; } = Find();

    /// <summary>Runs it to its end, in the folder of the repository.</summary>
    public static async Task<ToolRun> RunAsync(params string[] arguments)
    {
        var info = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        foreach (var argument in arguments.Prepend(Program))
        {
            info.ArgumentList.Add(argument);
        }

        using var process = Process.Start(info)!;
        using var limit = new CancellationTokenSource(Deadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            var run = new ToolRun(process.ExitCode, await output, await error);
            TestContext.Current.TestOutputHelper?.WriteLine($"detection {string.Join(' ', arguments)}\n{Shorten(run.Output)}{Shorten(run.Error)}");
            return run;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string Shorten(string text) => text.Length <= 4_000 ? text : text[..4_000] + "…\n";

    private static string Find()
    {
        var configuration = typeof(DetectionTool).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration ?? "Debug";
        var framework = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var path = Path.Combine(Repository.Root, "src", "Tool", "bin", configuration, framework, "Detection.Tool.dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"'{path}' is not built.", path);
    }
}
