namespace Detection.Hosting.Telemetry;

/// <summary>Paths that machines request every few seconds and that are not traced. Each feature adds its own.</summary>
public sealed class ProbePaths
{
    private readonly List<PathString> _paths = [];

    /// <summary>Adds a path and everything below it.</summary>
    public void Add(PathString path) => _paths.Add(path);

    /// <summary>Whether a request to this path is a probe.</summary>
    public bool Contains(PathString path) => _paths.Exists(probe => path.StartsWithSegments(probe));
}
