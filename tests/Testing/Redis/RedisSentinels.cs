using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace Detection.Testing;

/// <summary>
/// A master and a replica with three Sentinels, on loopback. Needs redis-server (<c>redis-server --sentinel</c> is the Sentinel): call
/// <see cref="RedisServer.SkipUnlessInstalled"/> first.
/// </summary>
public sealed class RedisSentinels : IRedisDeployment
{
    private const string Service = "detection";
    private const int Count = 3;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly List<RedisServer> _servers = [];
    private readonly List<(int Port, ChildProcess Process)> _sentinels = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("detection-sentinels-");

    private RedisSentinels()
    {
    }

    public string ConnectionString =>
        string.Join(',', _sentinels.Select(sentinel => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{sentinel.Port}"))) + ",serviceName=" + Service;

    public IReadOnlyDictionary<string, string?> ClientEnvironment => new Dictionary<string, string?>();

    /// <summary>The two servers; which of them is the master changes.</summary>
    public IReadOnlyList<RedisServer> Servers => _servers;

    /// <summary>Starts the servers and the Sentinels, and waits until the Sentinels know the replica and each other.</summary>
    /// <param name="brisk">
    /// Whether the Sentinels check the servers and talk to each other several times as often as usual (from Redis 7 on). They decide in the
    /// same way, only sooner.
    /// </param>
    public static async Task<RedisSentinels> StartAsync(RedisOptions? options = null, bool brisk = false)
    {
        options ??= new RedisOptions();
        var deployment = new RedisSentinels();
        try
        {
            var master = await RedisServer.StartAsync(options);
            deployment._servers.Add(master);
            deployment._servers.Add(await RedisServer.StartAsync(options with { ReplicaOf = master.Port }));
            for (var i = 0; i < Count; i++)
            {
                await deployment.StartSentinelAsync(master.Port);
            }

            if (brisk)
            {
                await Task.WhenAll(deployment._sentinels.Select(static sentinel => HastenAsync(sentinel.Port)));
            }

            await Eventually.Async(deployment.KnowsAllAsync, Deadline, "the Sentinels know the replica and each other");
            return deployment;
        }
        catch
        {
            await deployment.DisposeAsync();
            throw;
        }
    }

    /// <summary>The server that the Sentinels name as master now.</summary>
    public async Task<RedisServer> MasterAsync()
    {
        foreach (var (port, _) in _sentinels)
        {
            await using var connection = await ConnectAsync(port);
            if (await connection.GetServers()[0].SentinelGetMasterAddressByNameAsync(Service) is IPEndPoint address)
            {
                return _servers.Single(server => server.Port == address.Port);
            }
        }

        throw new InvalidOperationException("No Sentinel names a master.");
    }

    /// <summary>Stops the Sentinels; the servers continue.</summary>
    public async Task StopSentinelsAsync()
    {
        foreach (var (_, process) in _sentinels)
        {
            await process.DisposeAsync();
        }
    }

    /// <summary>Restarts the Sentinels with their state.</summary>
    public void StartSentinelsAgain()
    {
        for (var i = 0; i < _sentinels.Count; i++)
        {
            _sentinels[i] = (_sentinels[i].Port, StartSentinel(_sentinels[i].Port));
        }
    }

    /// <summary>Waits until the Sentinels name another master than this one, and the new master reports the role itself.</summary>
    public Task FailedOverAsync(RedisServer from) => Eventually.Async(
        async () =>
        {
            var master = await MasterAsync();
            return master != from && (await master.InfoAsync("replication")).Contains("role:master", StringComparison.Ordinal);
        },
        Deadline,
        "the Sentinels have made the replica the master");

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, process) in _sentinels)
        {
            await process.DisposeAsync();
        }

        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private async Task StartSentinelAsync(int master)
    {
        var port = LoopbackPorts.Next();
        await File.WriteAllTextAsync(
            Configuration(port),
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                port {port}
                bind 127.0.0.1
                dir {_folder.FullName}
                sentinel monitor {Service} 127.0.0.1 {master} 2
                sentinel down-after-milliseconds {Service} 2000
                sentinel failover-timeout {Service} 10000

                """));
        _sentinels.Add((port, StartSentinel(port)));
    }

    private ChildProcess StartSentinel(int port) => ChildProcess.Start($"sentinel:{port}", "redis-server", [Configuration(port), "--sentinel"]);

    private string Configuration(int port) => Path.Combine(_folder.FullName, string.Create(CultureInfo.InvariantCulture, $"{port}.conf"));

    private async Task<bool> KnowsAllAsync()
    {
        foreach (var (port, _) in _sentinels)
        {
            await using var connection = await ConnectAsync(port);
            var known = (await connection.GetServers()[0].SentinelMasterAsync(Service)).ToDictionary(pair => pair.Key, pair => pair.Value);
            if (known["num-slaves"] != "1" || known["num-other-sentinels"] != (Count - 1).ToString(CultureInfo.InvariantCulture))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Shortens the intervals that are constants of a Sentinel.</summary>
    private static Task HastenAsync(int port) => Eventually.Async(
        async () =>
        {
            await using var connection = await ConnectAsync(port);
            try
            {
                await connection.GetServers()[0].ExecuteAsync(
                    "SENTINEL", "DEBUG", "INFO-PERIOD", "1000", "PING-PERIOD", "200", "ASK-PERIOD", "200", "PUBLISH-PERIOD", "500");
            }
            catch (RedisServerException e) when (e.Message.Contains("Unknown", StringComparison.OrdinalIgnoreCase))
            {
                // An older Sentinel: it uses its usual intervals.
            }

            return true;
        },
        Deadline,
        "a Sentinel has taken shorter periods");

    private static async Task<ConnectionMultiplexer> ConnectAsync(int port)
    {
        var options = ConfigurationOptions.Parse(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port},connectTimeout=1000"));
        options.CommandMap = CommandMap.Sentinel;
        options.TieBreaker = "";
        return await ConnectionMultiplexer.ConnectAsync(options);
    }
}
