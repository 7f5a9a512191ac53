using System.Globalization;
using System.Net;
using Garnet;
using Garnet.common;
using Garnet.server;
using Garnet.server.Auth.Settings;
using Microsoft.AspNetCore.Connections;

namespace Detection.Embedded;

/// <summary>
/// A Redis-compatible server (Microsoft Garnet) in this process, on loopback and without persistence, for everything except pictures. It accepts
/// commands from every process that reaches it, even from the body of an HTTP request that a web page sends. So each connection must start with its
/// password.
/// </summary>
internal sealed class EmbeddedRedis : IDisposable
{
    private readonly GarnetServer _server;
    private readonly string _password;

    private EmbeddedRedis(GarnetServer server, int port, string password)
    {
        _server = server;
        _password = password;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Contains the password: for this process only, never for a log.</summary>
    public string ConnectionString => $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)},password={_password}";

    /// <summary>Starts the server.</summary>
    /// <exception cref="AddressInUseException">The port is taken.</exception>
    public static EmbeddedRedis Start(EmbeddedOptions options, string password, TimeProvider time, ILoggerFactory loggers)
    {
        var refused = new RefusedConnections("embedded server", time, loggers.CreateLogger<RefusedConnections>());
        var gate = PasswordGate.Bind(options.RedisPort, password, time, refused);
        GarnetServer? server = null;
        try
        {
            server = new GarnetServer(Settings(options, gate.EndPoint, password), loggers, [new GarnetConnections(gate)]);
            server.Start();
            return new EmbeddedRedis(server, gate.EndPoint.Port, password);
        }
        catch
        {
            server?.Dispose();
            gate.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The total distance that the end of its ring has moved, and the size of its objects (hashes, lists, sets) outside the ring, in bytes.
    /// </summary>
    public (long Written, long Objects) Measure()
    {
        var (written, objects) = (0L, 0L);
        foreach (var item in _server.Metrics.GetInfoMetrics(InfoMetricsType.STORE))
        {
            if (item.Name.EndsWith("Log.TailAddress", StringComparison.Ordinal))
            {
                written = long.Parse(item.Value, CultureInfo.InvariantCulture);
            }
            else if (item.Name.EndsWith("Log.CurrentHeapSizeBytes", StringComparison.Ordinal))
            {
                objects = long.Parse(item.Value, CultureInfo.InvariantCulture);
            }
        }

        return (written, objects);
    }

    public void Dispose() => _server.Dispose();

    private static GarnetServerOptions Settings(EmbeddedOptions options, IPEndPoint endPoint, string password) => new()
    {
        EndPoints = [endPoint],
        AuthSettings = new PasswordAuthenticationSettings(password),
        QuietMode = true,
        // It shares the thread pool with the rest of the process, which starts small and grows slowly.
        ThreadPoolMinThreads = Math.Max(32, 4 * Environment.ProcessorCount),
        EnableLua = true,
        LuaOptions = new LuaOptions(),
        LogMemorySize = $"{options.RedisMemoryMegabytes}m",
        // Small pages, because memory is freed page by page. Values up to the size of any usual result are stored inside them.
        PageSize = options.RedisMemoryMegabytes < 128 ? "1m" : "4m",
        MaxInlineValueSize = "256k",
        // The log is a ring. Entries of its old part that are read or rewritten move to its young end (RedisUpkeep relies on it); the others are
        // overwritten in time.
        MutablePercent = 25,
        CopyReadsToTail = true,
        IndexMemorySize = "8m",
        BufferPoolMemoryBudget = "32m",
        // Expired members of objects are not collected: there are none here, and the collection removes the expiry of the objects that it visits.
        ExpiredKeyDeletionScanFrequencySecs = 10,
    };
}
