namespace Detection.Testing;

/// <summary>A folder that is deleted with the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("detection-test-").FullName;

    /// <summary>The path of a file in it.</summary>
    public string Of(params string[] names) => System.IO.Path.Combine([Path, .. names]);

    /// <summary>Copies a file into it.</summary>
    public string Copy(string file, string name)
    {
        File.Copy(file, Of(name));
        return Of(name);
    }

    /// <summary>Writes a file into it.</summary>
    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(Of(name), bytes);
        return Of(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
