using Detection.Testing;

namespace Detection.Bench.Compare;

/// <summary>A server under test with all of its processes.</summary>
internal sealed class Server(string name, DetectionProcess frontend, IReadOnlyList<int> processes, IAsyncDisposable owner) : IAsyncDisposable
{
    /// <summary>Name in the table.</summary>
    public string Name => name;

    public DetectionProcess Frontend => frontend;

    /// <summary>The processes whose processor time counts: front end, silo, Redis.</summary>
    public IReadOnlyList<int> Processes => processes;

    /// <summary>Front end, silo and Redis-compatible server in one process.</summary>
    public static async Task<Server> OneProcessAsync(string models)
    {
        var frontend = DetectionProcess.StartFrontend(With(models));
        await frontend.ReadyAsync();
        return new Server("one process", frontend, [frontend.Process.Id], frontend);
    }

    /// <summary>redis-server, a silo and a front end.</summary>
    public static async Task<Server> ClusterAsync(string models)
    {
        var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1, With(models));
        var frontend = cluster.Frontends[0];
        return new Server("cluster", frontend, [frontend.Process.Id, cluster.Silos[0].Process.Id, cluster.Redis.ProcessId], cluster);
    }

    public ValueTask DisposeAsync() => owner.DisposeAsync();

    private static Dictionary<string, string?> With(string models) => new(StringComparer.Ordinal) { ["Detection__Models__Directory"] = models };
}
