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
/// The connections of the client to the grains and the Redis of its cluster. It does not use those of the application's container, which may lead to
/// another cluster. In a process that hosts a silo of the cluster it uses the connections of that silo.
/// </summary>
internal sealed class ClientConnections : IAsyncDisposable, IDisposable
{
    private readonly bool _ownsRedis;
    private readonly ServiceProvider _serialization = new ServiceCollection().AddSerializer().BuildServiceProvider();

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
        Dead = new DeadLetters(Redis, keys, Pictures);
        Board = new SiloBoard(Redis, keys, loggers.CreateLogger<SiloBoard>());
        Wanted = new WantedBoard(Redis, keys);
        Cluster = new ClusterConnection(options.Value, keys, Redis, security, loggers, silo);
    }

    public RedisConnections Redis { get; }

    public PictureStore Pictures { get; }

    public DeadLetters Dead { get; }

    public SiloBoard Board { get; }

    public WantedBoard Wanted { get; }

    public ClusterConnection Cluster { get; }

    public ResultStore Results { get; }

    /// <summary>Whether the client was disposed of, or is being disposed of.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>For containers that are disposed of with <c>using</c>. Blocks for up to two seconds while connections close.</summary>
    public void Dispose() => Task.Run(() => DisposeAsync().AsTask()).GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        IsDisposed = true;
        await Cluster.DisposeAsync();
        if (_ownsRedis)
        {
            await Redis.DisposeAsync();
        }

        await _serialization.DisposeAsync();
    }
}
