namespace Detection.Delivery;

/// <summary>A folder outside the repository, so that files of the repository are not found by accident, and commands that run there.</summary>
internal sealed class Workshop : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(12);

    private static readonly Dictionary<string, string?> Sdk = new() { ["DOTNET_NOLOGO"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1" };

    public string Folder { get; } = Directory.CreateTempSubdirectory("detection-delivery-").FullName;

    /// <summary>A path in the folder.</summary>
    public string At(string relative) => Path.Combine(Folder, relative);

    /// <summary>Writes a file and creates its folder.</summary>
    public void Write(string relative, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(relative))!);
        File.WriteAllText(At(relative), text);
    }

    /// <summary>Runs a program to its end, and fails with its output unless the exit code is 0.</summary>
    /// <returns>Its output.</returns>
    public async Task<string> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        await using var process = ChildProcess.Start(Path.GetFileName(program), program, arguments, environment, Folder);
        await process.ExitAsync(Deadline);
        return process.ExitCode == 0 ? process.Log : throw process.Failure("failed");
    }

    /// <summary>Runs a command of the SDK.</summary>
    public Task<string> DotnetAsync(params string[] arguments) => RunAsync("dotnet", [.. arguments], Sdk);

    /// <summary>Runs a line of a shell, which may contain commands of the SDK.</summary>
    public Task<string> ShellAsync(string line) => RunAsync("sh", ["-c", line], Sdk);

    public async ValueTask DisposeAsync()
    {
        await RunAsync("chmod", ["-R", "u+w", Folder]);
        Directory.Delete(Folder, recursive: true);
    }
}
