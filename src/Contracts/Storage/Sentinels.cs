using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>Asks the Sentinels of a connection string which server is the master, over a connection of its own.</summary>
/// <param name="data">Options of the connections to the servers of the data; they name the Sentinels and the service.</param>
internal sealed class Sentinels(ConfigurationOptions data) : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private readonly string _service = data.ServiceName!;
    private readonly Lazy<Task<ConnectionMultiplexer>> _connection = new(() => Task.Run(() => ConnectionMultiplexer.ConnectAsync(ToSentinels(data))));

    /// <summary>Whether <paramref name="server"/> is a Sentinel that the connection string names.</summary>
    public bool Contains(EndPoint server) => data.EndPoints.Contains(server);

    /// <summary>The answer of the Sentinel with the newest information; <see langword="null"/> when none answers.</summary>
    public async Task<SentinelView?> AskAsync()
    {
        try
        {
            var connection = await _connection.Value.WaitAsync(Timeout);
            var views = await Task.WhenAll(connection.GetServers().Where(static server => server.IsConnected).Select(AskAsync));
            return views.MaxBy(static view => view?.Epoch);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) || e is TimeoutException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_connection.IsValueCreated)
        {
            var connection = await _connection.Value;
            await connection.CloseAsync(allowCommandsToComplete: false);
            await connection.DisposeAsync();
        }
    }

    private static ConfigurationOptions ToSentinels(ConfigurationOptions data)
    {
        var options = data.Clone();
        (options.User, options.Password) = (data.SentinelUser, data.SentinelPassword);
        options.Tunnel = null;
        options.ServiceName = null;
        options.CommandMap = CommandMap.Sentinel;
        options.TieBreaker = "";
        options.SyncTimeout = options.AsyncTimeout = (int)Timeout.TotalMilliseconds;
        return options;
    }

    private async Task<SentinelView?> AskAsync(IServer sentinel)
    {
        try
        {
            var address = sentinel.SentinelGetMasterAddressByNameAsync(_service);
            var others = sentinel.SentinelReplicasAsync(_service);
            var master = (await sentinel.SentinelMasterAsync(_service)).ToDictionary(StringComparer.Ordinal);
            return await address is { } named
                ? new SentinelView(named, Epoch(master), Others(await others))
                : null;
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) || e is ObjectDisposedException)
        {
            return null;
        }
    }

    private static long Epoch(Dictionary<string, string> master) =>
        long.TryParse(master.GetValueOrDefault("config-epoch"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var epoch) ? epoch : 0;

    private static Dictionary<EndPoint, bool> Others(KeyValuePair<string, string>[][] replicas)
    {
        var others = new Dictionary<EndPoint, bool>();
        foreach (var replica in replicas.Select(static fields => fields.ToDictionary(StringComparer.Ordinal)))
        {
            // A Sentinel lists every server except the master as a replica until the server reports its role. Only a real replica has a link to the master.
            if (EndPointCollection.TryParse($"{replica.GetValueOrDefault("ip")}:{replica.GetValueOrDefault("port")}") is { } server)
            {
                others[server] = replica.GetValueOrDefault("role-reported") == "slave" && replica.GetValueOrDefault("master-link-status") == "ok";
            }
        }

        return others;
    }
}
