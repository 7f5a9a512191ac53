namespace Detection.Testing;

/// <summary>Redis in one of its deployments: one server, a master with Sentinels, or a Redis Cluster.</summary>
public interface IRedisDeployment : IAsyncDisposable
{
    /// <summary>The value of <c>ConnectionStrings:redis</c>.</summary>
    string ConnectionString { get; }

    /// <summary>Environment variables that a process needs to connect, besides the connection string.</summary>
    IReadOnlyDictionary<string, string?> ClientEnvironment { get; }

    /// <summary>The servers that hold data, masters and replicas.</summary>
    IReadOnlyList<RedisServer> Servers { get; }
}
