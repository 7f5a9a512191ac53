using System.Net;
using System.Net.Sockets;
using System.Globalization;
using Garnet;
using Garnet.server;

namespace Detection.Frontend.Embedded;

/// <summary>
/// A Redis-compatible server inside this process, on loopback, that keeps nothing on disk. Being a hosted service that does
/// nothing when it is started or stopped, it is disposed of with the container: after everything that uses it has stopped.
/// </summary>
internal sealed class EmbeddedRedis : IHostedService, IDisposable
{
    private const int Attempts = 5;

    private readonly GarnetServer _server;

    private EmbeddedRedis(GarnetServer server, int port)
    {
        _server = server;
        Port = port;
    }

    public int Port { get; }

    public string ConnectionString => $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}";

    public static EmbeddedRedis Start(EmbeddedOptions options, ILoggerFactory loggers)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = options.RedisPort == 0 ? FreePort() : options.RedisPort;
            var server = new GarnetServer(Settings(options, port), loggers);
            try
            {
                server.Start();
                return new EmbeddedRedis(server, port);
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

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _server.Dispose();

    private static GarnetServerOptions Settings(EmbeddedOptions options, int port) => new()
    {
        EndPoints = [new IPEndPoint(IPAddress.Loopback, port)],
        QuietMode = true,
        EnableLua = true,
        LuaOptions = new LuaOptions(),
        LogMemorySize = $"{options.RedisMemoryMegabytes}m",
        PageSize = "1m",
        IndexMemorySize = "8m",
        BufferPoolMemoryBudget = "32m",
        // What is read or rewritten lives on while older entries make room.
        CopyReadsToTail = true,
        ExpiredKeyDeletionScanFrequencySecs = 10,
        ExpiredObjectCollectionFrequencySecs = 10,
    };

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
