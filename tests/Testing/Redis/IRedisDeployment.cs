namespace Detection.Testing;

/// <summary>A Redis as a deployment of the product sees it: one server, a master under Sentinels, or a Redis Cluster.</summary>
public interface IRedisDeployment : IAsyncDisposable
{
    /// <summary>What goes into <c>ConnectionStrings:redis</c>.</summary>
    string ConnectionString { get; }

    /// <summary>What a process needs in its environment to connect, beside the connection string.</summary>
    IReadOnlyDictionary<string, string?> ClientEnvironment { get; }

    /// <summary>The servers that hold data, masters and replicas.</summary>
    IReadOnlyList<RedisServer> Servers { get; }
}
