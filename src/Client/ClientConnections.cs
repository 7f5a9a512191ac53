using Detection.Contracts.Cluster;
using Detection.Contracts.Results;
using Detection.Contracts.Security;
using Detection.Contracts.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Serialization;

namespace Detection.Client;

/// <summary>
/// The connections of the client to its cluster: the grains and Redis. They are the client's own, not those of the application's container,
/// which may be those of another cluster; in a process that hosts a silo of the cluster they are the silo's.
/// </summary>
internal sealed class ClientConnections : IAsyncDisposable
{
    private readonly bool _ownsRedis;
    private readonly ServiceProvider _serialization = new ServiceCollection().AddSerializer().BuildServiceProvider();

    /// <param name="options">Settings.</param>
    /// <param name="transfer">How pictures travel.</param>
    /// <param name="security">What connections to silos must show.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">For its messages.</param>
    /// <param name="silo">The silo of this process where it is one of the cluster.</param>
    /// <param name="redis">The connections of that silo.</param>
    public ClientConnections(
        IOptions<DetectionClientOptions> options,
        IOptions<PictureTransferOptions> transfer,
        ClusterSecurity security,
        TimeProvider time,
        ILoggerFactory loggers,
        IClusterClient? silo = null,
        RedisConnections? redis = null)
    {
        var keys = new RedisKeys(options.Value.ClusterId);
        Redis = redis ?? new RedisConnections(options.Value.Redis, options.Value.PictureMemory);
        _ownsRedis = redis is null;
        Pictures = new PictureStore(Redis, keys, transfer, time);
        Results = new ResultStore(Redis, keys, _serialization.GetRequiredService<Serializer<DetectionResult>>(), loggers.CreateLogger<ResultStore>());
        Board = new SiloBoard(Redis, keys, loggers.CreateLogger<SiloBoard>());
        Cluster = new ClusterConnection(options.Value, keys, Redis, security, loggers, silo);
    }

    public RedisConnections Redis { get; }

    public PictureStore Pictures { get; }

    public SiloBoard Board { get; }

    public ClusterConnection Cluster { get; }

    public ResultStore Results { get; }

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        if (_ownsRedis)
        {
            await Redis.DisposeAsync();
        }

        await _serialization.DisposeAsync();
    }
}
