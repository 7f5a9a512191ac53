using System.Globalization;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Detection.Embedded;

/// <summary>
/// Serves the picture memory on loopback with the Redis protocol and the embedded server's password: for this process, and for other processes of
/// this machine that join the cluster. Bytes that are not a command of that protocol, such as the request of a web page, close the connection.
/// </summary>
internal sealed class PictureServer : IDisposable
{
    private const int MostConnections = 256;

    private readonly CancellationTokenSource _stopping = new();
    private readonly PasswordGate _gate;
    private readonly PictureMemory _memory;
    private readonly string _password;
    private int _connections;

    private PictureServer(PasswordGate gate, PictureMemory memory, string password)
    {
        _gate = gate;
        _memory = memory;
        _password = password;
        Port = gate.EndPoint.Port;
    }

    public int Port { get; }

    /// <summary>Contains the password: for this process only, never for a log.</summary>
    public string ConnectionString =>
        $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)},password={_password}";

    /// <summary>Starts the server.</summary>
    /// <exception cref="AddressInUseException">The port is taken.</exception>
    public static PictureServer Start(PictureMemory memory, int port, string password, TimeProvider time, ILoggerFactory loggers)
    {
        var refused = new RefusedConnections("memory of pictures", time, loggers.CreateLogger<RefusedConnections>());
        var server = new PictureServer(PasswordGate.Bind(port, password, time, refused), memory, password);
        server._gate.Open(server.Admit);
        return server;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _gate.Dispose();
    }

    private void Admit(Socket socket)
    {
        if (Interlocked.Increment(ref _connections) > MostConnections)
        {
            Interlocked.Decrement(ref _connections);
            socket.Dispose();
            return;
        }

        _ = ServeAsync(socket);
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using (socket)
            {
                socket.NoDelay = true;
                await new PictureConversation(socket, _memory).RunAsync(_stopping.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or EndOfStreamException or InvalidDataException)
        {
            // The other side has closed the connection or sent an invalid command, or the process ends. A client that waits for a picture connects again.
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }
}
