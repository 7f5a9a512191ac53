namespace Detection.Testing;

/// <summary>Programs of this machine.</summary>
public static class Executables
{
    /// <summary>The full path of a program on the PATH, or <see langword="null"/>.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
}
