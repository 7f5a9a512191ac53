using System.Diagnostics;

namespace Detection.Frontend.Tests.Documents;

/// <summary>The result of a shell command.</summary>
internal sealed record ShellOutcome(int ExitCode, string Output, string Errors);

/// <summary>Runs commands as a reader of the documents would type them.</summary>
internal static class Shell
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Skips the running test when a program is missing; fails it in CI, where all must be installed.</summary>
    public static void Require(params string[] programs)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (programs.FirstOrDefault(program => !folders.Any(folder => File.Exists(Path.Combine(folder, program)))) is not { } missing)
        {
            return;
        }

        var reason = $"There is no {missing} on the PATH (Debian: apt-get install {missing}).";
        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
        {
            Assert.Fail(reason);
        }

        Assert.Skip(reason);
    }

    /// <summary>Runs a script with bash; a pipe fails when one of its programs fails.</summary>
    /// <param name="script">The commands.</param>
    /// <param name="folder">Working folder; curl reads its configuration (<c>.curlrc</c>) there too.</param>
    public static async Task<ShellOutcome> RunAsync(string script, string folder)
    {
        var start = new ProcessStartInfo("bash", ["-c", "set -o pipefail\n" + script])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CURL_HOME"] = folder;
        foreach (var proxy in start.Environment.Keys.Where(name => name.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(proxy);
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await Task.WhenAll(output, errors, process.WaitForExitAsync(limit.Token));
            return new ShellOutcome(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new ShellOutcome(-1, "", $"It did not end within {Limit.TotalSeconds} s.");
        }
    }
}
