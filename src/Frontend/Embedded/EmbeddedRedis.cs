using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Garnet;
using Garnet.server;
using Garnet.server.Auth.Settings;

namespace Detection.Frontend.Embedded;

/// <summary>
/// A Redis-compatible server (Microsoft Garnet) inside this process, on loopback, that keeps nothing on disk. It takes commands from
/// whoever reaches its port, also from the body of an HTTP request that a web page makes; so it does nothing without its password.
/// </summary>
internal sealed class EmbeddedRedis : IDisposable
{
    private const int Attempts = 5;

    private readonly GarnetServer _server;
    private readonly string _password;

    private EmbeddedRedis(GarnetServer server, int port, string password)
    {
        _server = server;
        _password = password;
        Port = port;
    }

    public int Port { get; }

    /// <summary>With the password: for this process alone, never for a log.</summary>
    public string ConnectionString => $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)},password={_password}";

    public static EmbeddedRedis Start(EmbeddedOptions options, ILoggerFactory loggers)
    {
        var password = options.RedisPassword ?? Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        for (var attempt = 1; ; attempt++)
        {
            var port = options.RedisPort == 0 ? FreePort() : options.RedisPort;
            var server = new GarnetServer(Settings(options, port, password), loggers);
            try
            {
                server.Start();
                return new EmbeddedRedis(server, port, password);
            }
            catch (SocketException) when (options.RedisPort == 0 && attempt < Attempts)
            {
                // Somebody took the port in between.
                server.Dispose();
            }
            catch
            {
                server.Dispose();
                throw;
            }
        }
    }

    public void Dispose() => _server.Dispose();

    private static GarnetServerOptions Settings(EmbeddedOptions options, int port, string password) => new()
    {
        EndPoints = [new IPEndPoint(IPAddress.Loopback, port)],
        AuthSettings = new PasswordAuthenticationSettings(password),
        QuietMode = true,
        // It shares the thread pool with everything else here, which begins small and grows slowly.
        ThreadPoolMinThreads = Math.Max(32, 4 * Environment.ProcessorCount),
        EnableLua = true,
        LuaOptions = new LuaOptions(),
        LogMemorySize = $"{options.RedisMemoryMegabytes}m",
        // Pictures stand inside the pages, so that the pages are all the memory there is, and room is made page by page.
        PageSize = "32m",
        MaxInlineValueSize = "16000k",
        // The log is a ring: entries that are read or rewritten move to its head, the others make room in time.
        MutablePercent = 25,
        CopyReadsToTail = true,
        IndexMemorySize = "8m",
        BufferPoolMemoryBudget = "32m",
        // No collection of the expired members of objects: there are none here, and the objects that it goes through lose their expiry.
        ExpiredKeyDeletionScanFrequencySecs = 10,
    };

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
