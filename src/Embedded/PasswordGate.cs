using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Detection.Embedded;

/// <summary>
/// Listens on loopback, which every user and every web page of the machine reaches, and lets those connections through that begin with the
/// password. The others are ended: each has one of the few places that there are, for some seconds, and a kilobyte.
/// The first command is looked at but not read, so that the store that gets the connection answers it.
/// </summary>
internal sealed class PasswordGate : IDisposable
{
    private const int MostWaiting = 256;

    /// <summary>This process itself, which may have little of a processor while it starts, takes seconds to give the password.</summary>
    private static readonly TimeSpan PasswordTimeout = TimeSpan.FromSeconds(20);

    /// <summary>A place is kept for this long, however many others come; what comes meanwhile waits to be accepted.</summary>
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

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Takes the port. Connections wait until <see cref="Open"/>.</summary>
    /// <param name="port">The port, 0 for any free one.</param>
    /// <param name="password">What every connection must begin with.</param>
    /// <param name="time">Time.</param>
    /// <param name="refused">Told of each connection that is ended for it.</param>
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

    /// <summary>Begins to let connections through.</summary>
    /// <param name="admit">Gets each of them, with the command that gives the password still to be read, and must return soon.</param>
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
                // The connection was gone before it was taken, or the process may open no more.
                await Task.Delay(PauseAfterFailure);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Gives a connection a place. When all are taken the one that has waited longest loses its own: a client that knows the password gives it at
    /// once, so that connections that say nothing do not shut it out.
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

    /// <summary>Whether the connection still had its place.</summary>
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
            // It has left, was too slow, or lost its place; or the process ends.
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

    /// <summary>Says why the connection is ended. What was looked at is read before: bytes that were not would end it without the answer.</summary>
    private static async Task AnswerAsync(Socket socket, Memory<byte> there, string answer, CancellationToken cancellationToken)
    {
        await socket.ReceiveAsync(there, SocketFlags.None, cancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes(answer), SocketFlags.None, cancellationToken);
    }

    private sealed record Waiting(Socket Socket, long Since);
}
