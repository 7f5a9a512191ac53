using StackExchange.Redis;

namespace Detection.Hosting.Redis;

/// <summary>
/// Checks that a server under Sentinel refuses writes while no replica is connected to it (<c>min-replicas-to-write</c>). Otherwise it accepts writes
/// that are lost, when it is cut off from the Sentinels and its replicas but processes still reach it.
/// </summary>
internal sealed partial class ReplicaFence(ILogger logger)
{
    /// <summary>INFO contains this field only where a minimum number of replicas is set.</summary>
    private const string InfoField = "min_slaves_good_slaves:";

    public async Task CheckAsync(IServer server)
    {
        var info = (string?)await server.ExecuteAsync("INFO", "replication") ?? "";
        if (!info.Split('\n').Any(static line => line.StartsWith(InfoField, StringComparison.Ordinal)))
        {
            LogOpen(server.EndPoint.ToString()!);
        }
    }

    [LoggerMessage(23, LogLevel.Warning, "Redis at {Server} has 'min-replicas-to-write 0': while it is cut off from its Sentinels it accepts requests that are lost when another server is the master. Set 'min-replicas-to-write 1' on all servers.")]
    private partial void LogOpen(string server);
}
