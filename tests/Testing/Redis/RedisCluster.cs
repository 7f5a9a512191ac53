using System.Globalization;
using StackExchange.Redis;

namespace Detection.Testing;

/// <summary>A Redis Cluster of three masters on loopback. Needs redis-server: call <see cref="RedisServer.SkipUnlessInstalled"/> first.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int Slots = 16_384;
    private static readonly TimeSpan FormDeadline = TimeSpan.FromSeconds(30);
    private readonly List<RedisServer> _nodes = [];

    private RedisCluster()
    {
    }

    /// <summary>The nodes, each master of a third of the slots.</summary>
    public IReadOnlyList<RedisServer> Nodes => _nodes;

    /// <summary>What goes into <c>ConnectionStrings:redis</c>: all nodes.</summary>
    public string ConnectionString =>
        string.Join(',', _nodes.Select(node => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{node.Port}")));

    /// <summary>Starts the nodes, joins them, and waits until every one says <c>cluster_state:ok</c>.</summary>
    public static async Task<RedisCluster> StartAsync(int nodes = 3)
    {
        var cluster = new RedisCluster();
        try
        {
            for (var i = 0; i < nodes; i++)
            {
                cluster._nodes.Add(await RedisServer.StartAsync(new RedisOptions { Cluster = true }));
            }

            await cluster.FormAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects a client to the cluster.</summary>
    public Task<ConnectionMultiplexer> ConnectAsync() => _nodes[0].ConnectAsync(ConnectionString);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    private async Task FormAsync()
    {
        for (var i = 0; i < _nodes.Count; i++)
        {
            // Different epochs from the start: no conflicts to settle, the cluster is ready sooner.
            await Ask(_nodes[i], "SET-CONFIG-EPOCH", i + 1);
            await Ask(_nodes[i], "ADDSLOTSRANGE", i * Slots / _nodes.Count, ((i + 1) * Slots / _nodes.Count) - 1);
        }

        foreach (var node in _nodes.Skip(1))
        {
            await Ask(_nodes[0], "MEET", "127.0.0.1", node.Port, node.ClusterPort);
        }

        foreach (var node in _nodes)
        {
            await Eventually.Async(
                async () =>
                {
                    var info = (string?)await Ask(node, "INFO") ?? "";
                    return info.Contains("cluster_state:ok", StringComparison.Ordinal)
                        && info.Contains($"cluster_known_nodes:{_nodes.Count}\r", StringComparison.Ordinal)
                        && info.Contains($"cluster_size:{_nodes.Count}\r", StringComparison.Ordinal);
                },
                FormDeadline,
                $"the Redis Cluster of {_nodes.Count} is formed as node {node.Port} sees it");
        }
    }

    private static async Task<RedisResult> Ask(RedisServer node, params object[] command)
    {
        await using var connection = await node.ConnectAsync();
        return await connection.GetServer(connection.GetEndPoints()[0]).ExecuteAsync("CLUSTER", command);
    }
}
