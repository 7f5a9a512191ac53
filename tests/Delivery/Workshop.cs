namespace Detection.Delivery;

/// <summary>A folder outside the repository, so that files of the repository are not found by accident, and commands that run there.</summary>
internal sealed class Workshop : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(12);

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
    public Task<string> DotnetAsync(params string[] arguments) =>
        RunAsync("dotnet", [.. arguments], new Dictionary<string, string?> { ["DOTNET_NOLOGO"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1" });

    public async ValueTask DisposeAsync()
    {
        await RunAsync("chmod", ["-R", "u+w", Folder]);
        Directory.Delete(Folder, recursive: true);
    }
}
