namespace Detection.Testing;

/// <summary>Options of a <see cref="RedisServer"/>.</summary>
public sealed record RedisOptions
{
    /// <summary>Password of the default user; none by default.</summary>
    public string? Password { get; init; }

    /// <summary>
    /// Append-only file: data also survive <see cref="RedisServer.KillAsync"/>. Without it they are written only at a graceful stop.
    /// </summary>
    public bool AppendOnly { get; init; }

    /// <summary>TLS on its port, with a new certificate for <c>localhost</c>.</summary>
    public bool Tls { get; init; }

    /// <summary>A node of a Redis Cluster; see <see cref="RedisCluster"/>, which sets it.</summary>
    public bool Cluster { get; init; }

    /// <summary>The server on 127.0.0.1 whose data it replicates, by port; none by default.</summary>
    public int? ReplicaOf { get; init; }

    /// <summary>Memory limit such as <c>64mb</c>; none by default.</summary>
    public string? MaxMemory { get; init; }

    /// <summary>What happens at <see cref="MaxMemory"/>; by default keys that expire are evicted.</summary>
    public string MaxMemoryPolicy { get; init; } = "volatile-lru";

    /// <summary>Whether to use the embedded Garnet even when redis-server is installed.</summary>
    public bool Garnet { get; init; }

    /// <summary>The port; a free one by default.</summary>
    public int? Port { get; init; }
}
