using System.Globalization;

namespace Detection.Testing;

/// <summary>A whole deployment: one Redis, silos and front ends as processes that share it.</summary>
/// <example><code>
/// await using var cluster = await DetectionCluster.StartAsync(silos: 2, frontends: 1);
/// using var answer = await cluster.Frontends[0].Http.PostAsync("/v1/detections", content);
/// await cluster.Silos[0].KillAsync();
/// </code></example>
public sealed class DetectionCluster : IAsyncDisposable
{
    private readonly List<DetectionProcess> _silos = [];
    private readonly List<DetectionProcess> _frontends = [];
    private readonly IReadOnlyDictionary<string, string?> _settings;

    private DetectionCluster(IRedisDeployment redis, IReadOnlyDictionary<string, string?> settings)
    {
        Deployment = redis;
        _settings = settings;
    }

    /// <summary>Redis of the deployment, of any kind.</summary>
    public IRedisDeployment Deployment { get; }

    /// <summary>Redis of the deployment, when it is one server.</summary>
    /// <exception cref="InvalidOperationException"><exception cref="InvalidOperationException">It is more than one server.</exception></exception>
    public RedisServer Redis => Deployment.Servers.Count == 1 ? Deployment.Servers[0] : throw new InvalidOperationException("Redis is more than one server.");

    /// <summary>The silos, in the order of their start, also those that were killed.</summary>
    public IReadOnlyList<DetectionProcess> Silos => _silos;

    /// <summary>The front ends, in the order of their start.</summary>
    public IReadOnlyList<DetectionProcess> Frontends => _frontends;

    /// <summary>Starts Redis, then all processes at once, and waits until all are ready.</summary>
    /// <param name="settings">Environment variables for every process.</param>
    /// <param name="redis">How Redis runs.</param>
    public static async Task<DetectionCluster> StartAsync(
        int silos = 1,
        int frontends = 1,
        IReadOnlyDictionary<string, string?>? settings = null,
        RedisOptions? redis = null) => await StartAsync(await RedisServer.StartAsync(redis), silos, frontends, settings);

    /// <summary>Starts all processes at once with a running Redis, and waits until all are ready.</summary>
    /// <param name="redis">Redis, disposed of with the deployment.</param>
    /// <param name="settings">Environment variables for every process.</param>
    public static async Task<DetectionCluster> StartAsync(
        IRedisDeployment redis, int silos = 1, int frontends = 1, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var cluster = new DetectionCluster(redis, settings ?? new Dictionary<string, string?>());
        try
        {
            for (var i = 0; i < silos; i++)
            {
                cluster.AddSilo();
            }

            for (var i = 0; i < frontends; i++)
            {
                cluster.AddFrontend();
            }

            await cluster.ReadyAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts one more silo; wait with <see cref="DetectionProcess.ReadyAsync"/>.</summary>
    /// <param name="settings">Environment variables of this silo; they replace those of the deployment.</param>
    /// <param name="folder">The project, from the root of the repository, when it is not the product's silo.</param>
    public DetectionProcess AddSilo(IReadOnlyDictionary<string, string?>? settings = null, string folder = "src/Silo")
    {
        var silo = DetectionProcess.StartSilo(Merge(settings), string.Create(CultureInfo.InvariantCulture, $"silo{_silos.Count + 1}"), folder);
        _silos.Add(silo);
        return silo;
    }

    /// <summary>Starts one more front end; wait with <see cref="DetectionProcess.ReadyAsync"/>.</summary>
    /// <param name="settings">Environment variables of this front end; they replace those of the deployment.</param>
    public DetectionProcess AddFrontend(IReadOnlyDictionary<string, string?>? settings = null)
    {
        var frontend = DetectionProcess.StartFrontend(
            Merge(settings), string.Create(CultureInfo.InvariantCulture, $"frontend{_frontends.Count + 1}"));
        _frontends.Add(frontend);
        return frontend;
    }

    /// <summary>Waits until every running process is ready.</summary>
    /// <param name="deadline">Maximum wait; 90 s by default.</param>
    public Task ReadyAsync(TimeSpan? deadline = null) =>
        Task.WhenAll(_silos.Concat(_frontends)
            .Where(process => !process.Process.HasExited)
            .Select(process => process.ReadyAsync(deadline)));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _frontends.Concat(_silos))
        {
            await process.DisposeAsync();
        }

        await Deployment.DisposeAsync();
    }

    private Dictionary<string, string?> Merge(IReadOnlyDictionary<string, string?>? own)
    {
        var merged = new Dictionary<string, string?>(StringComparer.Ordinal) { [DetectionSettings.Redis] = Deployment.ConnectionString };
        foreach (var (key, value) in Deployment.ClientEnvironment.Concat(_settings).Concat(own ?? new Dictionary<string, string?>()))
        {
            merged[key] = value;
        }

        return merged;
    }
}
