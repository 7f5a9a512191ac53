using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Detection.Frontend.Embedded;

/// <summary>
/// Serves the picture memory on loopback, by the protocol of Redis and behind the embedded server's password: to this process, and to others
/// of this machine that join the cluster. What is no command of that protocol, a web page's request among it, ends its connection.
/// </summary>
internal sealed class PictureServer : IDisposable
{
    private const int MostConnections = 256;

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stopping = new();
    private readonly PictureMemory _memory;
    private readonly byte[] _password;
    private int _connections;

    private PictureServer(PictureMemory memory, string password)
    {
        _memory = memory;
        _password = Encoding.Latin1.GetBytes(password);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>With the password: for this process alone, never for a log.</summary>
    public string ConnectionString =>
        $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)},password={Encoding.Latin1.GetString(_password)}";

    /// <summary>Starts the server.</summary>
    /// <param name="memory">What it serves.</param>
    /// <param name="port">The port, 0 for any free one.</param>
    /// <param name="password">What every connection must say first.</param>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static PictureServer Start(PictureMemory memory, int port, string password)
    {
        var server = new PictureServer(memory, password);
        try
        {
            server._listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
            server._listener.Listen();
        }
        catch
        {
            server.Dispose();
            throw;
        }

        _ = server.AcceptAsync();
        return server;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_stopping.Token);
                if (Interlocked.Increment(ref _connections) > MostConnections)
                {
                    Interlocked.Decrement(ref _connections);
                    socket.Dispose();
                    continue;
                }

                _ = Task.Run(() => ServeAsync(socket));
            }
            catch (SocketException)
            {
                // The connection was gone before it was taken, or the process may open no more.
                await Task.Delay(PauseAfterFailure);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using (socket)
            {
                socket.NoDelay = true;
                await new PictureConversation(socket, _memory, _password).RunAsync(_stopping.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or EndOfStreamException or InvalidDataException)
        {
            // The other side has left, says nothing that is understood, or the process ends. Whoever waits for a picture connects again.
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }
}
