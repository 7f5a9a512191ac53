using System.Net.Security;
using System.Net.Sockets;
using Garnet.common;
using Garnet.networking;
using Garnet.server;

namespace Detection.Embedded;

/// <summary>
/// The connections of the embedded Redis-compatible server. Garnet's own listener buffers any bytes until they are a command, even before the
/// password. Here a connection reaches the server only with the password, and the length of a command is limited.
/// </summary>
internal sealed class GarnetConnections : GarnetServerTcp, IServerHook
{
    private readonly PasswordGate _gate;
    private readonly NetworkBufferSettings _buffers = new();
    private readonly LimitedFixedBufferPool _pool;

    /// <summary>Accepts connections through a gate, once the server is started.</summary>
    public GarnetConnections(PasswordGate gate)
        : base(gate.EndPoint)
    {
        _gate = gate;
        _pool = _buffers.CreateBufferPool(ownerType: PoolOwnerType.ServerNetwork);
    }

    /// <inheritdoc/>
    public override IEnumerable<IMessageConsumer> ActiveConsumers() => base.ActiveConsumers().OfType<GarnetSession>().Select(static session => session.Inner);

    /// <inheritdoc/>
    public override IEnumerable<IClusterSession> ActiveClusterSessions() => [];

    /// <inheritdoc/>
    public override void Start() => _gate.Open(Admit);

    /// <inheritdoc/>
    public override void Close()
    {
        _gate.Dispose();
        base.Close();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _gate.Dispose();
        base.Dispose();
        _pool.Dispose();
    }

    /// <inheritdoc/>
    bool IServerHook.TryCreateMessageConsumer(Span<byte> bytesReceived, INetworkSender networkSender, out IMessageConsumer? session)
    {
        session = TryCreateMessageConsumer(bytesReceived, networkSender, out var inner) ? new GarnetSession(inner) : null;
        return session is not null;
    }

    private void Admit(Socket socket)
    {
        // Below zero, the server has stopped.
        if (Interlocked.Increment(ref activeHandlerCount) <= 0)
        {
            Interlocked.Decrement(ref activeHandlerCount);
            socket.Dispose();
            return;
        }

        Connection connection;
        try
        {
            connection = new Connection(this, socket, _buffers, _pool);
        }
        catch
        {
            Interlocked.Decrement(ref activeHandlerCount);
            socket.Dispose();
            throw;
        }

        activeHandlers.TryAdd(connection, default);
        IncrementConnectionsReceived();
        connection.Start((SslServerAuthenticationOptions?)null);
    }

    private sealed class Connection(GarnetConnections connections, Socket socket, NetworkBufferSettings buffers, LimitedFixedBufferPool pool)
        : TcpNetworkHandler<GarnetConnections>(connections, socket, buffers, pool, useTLS: false);
}
