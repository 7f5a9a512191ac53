namespace Detection.Tool.Tests;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("detection-tool-").FullName;

    /// <summary>The path of a file in it.</summary>
    public string Of(params string[] names) => System.IO.Path.Combine([Path, .. names]);

    /// <summary>Copies a file into it.</summary>
    public string Copy(string file, string name)
    {
        File.Copy(file, Of(name));
        return Of(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
