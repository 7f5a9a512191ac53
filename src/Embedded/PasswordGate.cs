using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Detection.Embedded;

/// <summary>
/// Listens on loopback, which every user and every web page of the machine can reach, and admits connections that start with the password. Other
/// connections are closed: until then each uses one of a limited number of places, for some seconds, and a kilobyte. The first command is inspected
/// without being consumed, so that the store behind the gate answers it.
/// </summary>
internal sealed class PasswordGate : IDisposable
{
    private const int MostWaiting = 256;

    /// <summary>This process itself may take seconds to send the password, because it gets little processor time while it starts.</summary>
    private static readonly TimeSpan PasswordTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Minimum time of a place, however many other connections arrive; these wait to be accepted.</summary>
    private static readonly TimeSpan LeastTime = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan PauseAfterPart = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stopping = new();
    private readonly LinkedList<Waiting> _waiting = [];
    private readonly byte[] _password;
    private readonly TimeProvider _time;
    private readonly RefusedConnections _refused;

    private PasswordGate(string password, TimeProvider time, RefusedConnections refused)
    {
        _password = Encoding.Latin1.GetBytes(password);
        _time = time;
        _refused = refused;
    }

    /// <summary>The address that it listens on.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Binds the port. Connections wait until <see cref="Open"/>.</summary>
    /// <param name="port">The port, 0 for any free one.</param>
    /// <param name="password">The password with which every connection must start.</param>
    /// <param name="time">Clock.</param>
    /// <param name="refused">Counts the connections that are closed without the password.</param>
    /// <exception cref="AddressInUseException">The port is taken.</exception>
    public static PasswordGate Bind(int port, string password, TimeProvider time, RefusedConnections refused)
    {
        var gate = new PasswordGate(password, time, refused);
        try
        {
            gate._listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
            gate._listener.Listen();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            gate.Dispose();
            throw new AddressInUseException($"Another process listens on loopback port {port}. Choose another one for the {refused.Store}, or 0 for any free one.", e);
        }
        catch
        {
            gate.Dispose();
            throw;
        }

        return gate;
    }

    /// <summary>Starts to admit connections.</summary>
    /// <param name="admit">Receives each connection, with the password command still unread, and must return soon.</param>
    public void Open(Action<Socket> admit) => _ = AcceptAsync(admit);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync(Action<Socket> admit)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_stopping.Token);
                var place = await WaitAsync(socket);
                _ = Task.Run(() => AskAsync(place, admit));
            }
            catch (SocketException)
            {
                // The connection was closed before it was accepted, or the process has reached its limit of open files.
                await Task.Delay(PauseAfterFailure);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Gives a connection a place. When all are taken, the oldest one is closed: a client that knows the password sends it at once, so silent
    /// connections cannot block it.
    /// </summary>
    private async Task<LinkedListNode<Waiting>> WaitAsync(Socket socket)
    {
        while (true)
        {
            TimeSpan left;
            lock (_waiting)
            {
                left = _waiting.Count < MostWaiting ? TimeSpan.Zero : LeastTime - _time.GetElapsedTime(_waiting.First!.Value.Since);
                if (left <= TimeSpan.Zero)
                {
                    RemoveOldest();
                    return _waiting.AddLast(new Waiting(socket, _time.GetTimestamp()));
                }
            }

            await Task.Delay(left, _time, _stopping.Token);
        }
    }

    private void RemoveOldest()
    {
        if (_waiting.Count == MostWaiting)
        {
            _waiting.First!.Value.Socket.Dispose();
            _waiting.RemoveFirst();
            _refused.Add();
        }
    }

    /// <summary>Returns whether the connection still had its place.</summary>
    private bool Leave(LinkedListNode<Waiting> place)
    {
        lock (_waiting)
        {
            var waits = place.List is not null;
            if (waits)
            {
                _waiting.Remove(place);
            }

            return waits;
        }
    }

    private async Task AskAsync(LinkedListNode<Waiting> place, Action<Socket> admit)
    {
        var socket = place.Value.Socket;
        var isRight = false;
        try
        {
            socket.NoDelay = true;
            isRight = await IsRightAsync(socket);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection was closed, was too slow, or lost its place; or the process ends.
        }

        if (!Leave(place))
        {
            return;
        }

        if (isRight)
        {
            admit(socket);
            return;
        }

        socket.Dispose();
        _refused.Add();
    }

    private async Task<bool> IsRightAsync(Socket socket)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        timeout.CancelAfter(PasswordTimeout);
        var bytes = new byte[FirstCommand.LongestBytes];
        while (await socket.ReceiveAsync(bytes.AsMemory(), SocketFlags.Peek, timeout.Token) is > 0 and var there)
        {
            switch (FirstCommand.Judge(bytes.AsSpan(0, there), _password))
            {
                case FirstCommandVerdict.Right:
                    return true;
                case FirstCommandVerdict.Incomplete:
                    await Task.Delay(PauseAfterPart, timeout.Token);
                    break;
                case FirstCommandVerdict.WrongPassword:
                    await AnswerAsync(socket, bytes.AsMemory(0, there), "-WRONGPASS invalid username-password pair or user is disabled.\r\n", timeout.Token);
                    return false;
                case FirstCommandVerdict.NoPassword:
                    await AnswerAsync(socket, bytes.AsMemory(0, there), "-NOAUTH Authentication required.\r\n", timeout.Token);
                    return false;
                default:
                    return false;
            }
        }

        return false;
    }

    /// <summary>
    /// Answers why the connection is closed. The inspected bytes are read first: unread bytes would close the connection without the answer.
    /// </summary>
    private static async Task AnswerAsync(Socket socket, Memory<byte> there, string answer, CancellationToken cancellationToken)
    {
        await socket.ReceiveAsync(there, SocketFlags.None, cancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes(answer), SocketFlags.None, cancellationToken);
    }

    private sealed record Waiting(Socket Socket, long Since);
}
