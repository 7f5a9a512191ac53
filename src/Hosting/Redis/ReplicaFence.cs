using StackExchange.Redis;

namespace Detection.Hosting.Redis;

/// <summary>
/// Whether a server under Sentinel refuses writes while no replica has a connection to it (<c>min-replicas-to-write</c>). One that does not
/// takes writes that are lost, when it is cut off from the Sentinels and from its replicas and processes still reach it.
/// </summary>
internal sealed partial class ReplicaFence(ILogger logger)
{
    /// <summary>INFO tells how many replicas are near enough exactly where some must be.</summary>
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
