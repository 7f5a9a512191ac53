namespace Detection.Deployment.Tests.Files;

/// <summary>The Helm chart, rendered by Helm.</summary>
internal static class HelmChart
{
    public const string Folder = "deploy/helm/detection";

    /// <summary>Skips the test when Helm is not installed; with <c>CI=true</c> it fails.</summary>
    public static void Need(string program = "helm")
    {
        var missing = Executables.Find(program) is null;
        Assert.False(missing && Environment.GetEnvironmentVariable("CI") == "true", $"{program} is not on the PATH. .ci/run installs it.");
        Assert.SkipWhen(missing, $"No {program} on this machine.");
    }

    /// <summary>The output of the chart with these values (YAML).</summary>
    public static Task<(int ExitCode, string Output)> TemplateAsync(string values, params string[] options) =>
        WithValuesAsync(values, file => RunAsync("helm", ["template", "detection", Folder, "--namespace", "detection", "--values", file, .. options]));

    /// <summary>The objects of the chart with these values, read strictly.</summary>
    public static async Task<List<object>> ObjectsAsync(string values, params string[] options)
    {
        var (exitCode, output) = await TemplateAsync(values, options);
        Assert.True(exitCode == 0, output);
        return Manifests.Read(Folder, output);
    }

    /// <summary>The output of the strict linter.</summary>
    public static Task<(int ExitCode, string Output)> LintAsync(string values) =>
        WithValuesAsync(values, static file => RunAsync("helm", ["lint", "--strict", Folder, "--values", file]));

    public static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments)
    {
        await using var process = ChildProcess.Start(program, program, arguments, workingDirectory: Repository.Root);
        await process.ExitAsync(TimeSpan.FromMinutes(1));
        return (process.ExitCode, process.Log);
    }

    private static async Task<T> WithValuesAsync<T>(string values, Func<string, Task<T>> use)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, values);
            return await use(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
