using System.Globalization;
using StackExchange.Redis;

namespace Detection.Testing;

/// <summary>A Redis Cluster on loopback, with or without replicas. Needs redis-server: call <see cref="RedisServer.SkipUnlessInstalled"/> first.</summary>
public sealed class RedisCluster : IRedisDeployment
{
    private const int Slots = 16_384;
    private static readonly TimeSpan FormDeadline = TimeSpan.FromSeconds(30);
    private readonly List<RedisServer> _nodes = [];
    private int _masters;

    private RedisCluster()
    {
    }

    /// <summary>The nodes: first the masters, each with its part of the slots, then a replica of each, if there are any.</summary>
    public IReadOnlyList<RedisServer> Nodes => _nodes;

    public IReadOnlyList<RedisServer> Servers => _nodes;

    public IReadOnlyDictionary<string, string?> ClientEnvironment => new Dictionary<string, string?>();

    /// <summary>The value of <c>ConnectionStrings:redis</c>: all nodes.</summary>
    public string ConnectionString =>
        string.Join(',', _nodes.Select(node => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{node.Port}")));

    /// <summary>Starts the nodes, joins them, and waits until all report <c>cluster_state:ok</c>.</summary>
    /// <param name="masters">Number of masters.</param>
    /// <param name="replicas">Whether each has a replica.</param>
    /// <param name="options">How each node runs.</param>
    public static async Task<RedisCluster> StartAsync(int masters = 3, bool replicas = false, RedisOptions? options = null)
    {
        var cluster = new RedisCluster { _masters = masters };
        try
        {
            for (var i = 0; i < (replicas ? 2 : 1) * masters; i++)
            {
                cluster._nodes.Add(await RedisServer.StartAsync((options ?? new RedisOptions()) with { Cluster = true }));
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

    /// <summary>Makes a replica the master of its part with <c>CLUSTER FAILOVER</c>, and waits until it is.</summary>
    /// <param name="part">Number of the part, from 0.</param>
    public async Task FailOverAsync(int part)
    {
        var (first, second) = (_nodes[part], _nodes[_masters + part]);
        var replica = await IsMasterAsync(first) ? second : first;
        await Ask(replica, "FAILOVER");
        await Eventually.Async(async () => await IsMasterAsync(replica), FormDeadline, $"node {replica.Port} is master");
    }

    /// <summary>Connects a client to the cluster.</summary>
    public Task<ConnectionMultiplexer> ConnectAsync() => _nodes[0].ConnectAsync(ConnectionString);

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
            // Different epochs from the start: without conflicts the cluster is ready sooner.
            await Ask(_nodes[i], "SET-CONFIG-EPOCH", i + 1);
            if (i < _masters)
            {
                await Ask(_nodes[i], "ADDSLOTSRANGE", i * Slots / _masters, ((i + 1) * Slots / _masters) - 1);
            }
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
                        && info.Contains($"cluster_size:{_masters}\r", StringComparison.Ordinal);
                },
                FormDeadline,
                $"the Redis Cluster of {_nodes.Count} is formed as node {node.Port} sees it");
        }

        for (var i = _masters; i < _nodes.Count; i++)
        {
            var id = (string)(await Ask(_nodes[i - _masters], "MYID"))!;
            await Ask(_nodes[i], "REPLICATE", id);
            await _nodes[i].FollowsAsync();
        }
    }

    private static async Task<bool> IsMasterAsync(RedisServer node) =>
        (await node.InfoAsync("replication")).Contains("role:master", StringComparison.Ordinal);

    private static async Task<RedisResult> Ask(RedisServer node, params object[] command)
    {
        await using var connection = await node.ConnectAsync();
        return await connection.GetServer(connection.GetEndPoints()[0]).ExecuteAsync("CLUSTER", command);
    }
}
