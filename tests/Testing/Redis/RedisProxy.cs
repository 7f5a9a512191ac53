using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Detection.Testing;

/// <summary>A way to a Redis that can be cut between a request and its answer.</summary>
public sealed class RedisProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly RedisServer _redis;
    private readonly Lock _gate = new();
    private readonly List<TcpClient> _open = [];
    private readonly Task _accepting;
    private Func<string, bool>? _held;
    private volatile bool _holding;

    /// <summary>Starts it before <paramref name="redis"/>.</summary>
    public RedisProxy(RedisServer redis)
    {
        _redis = redis;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>What goes into <c>ConnectionStrings:redis</c>.</summary>
    public string ConnectionString => _listener.LocalEndpoint.ToString()!;

    /// <summary>Whether <see cref="HoldAnswersFrom"/> has met its request. Redis has it, or is about to.</summary>
    public bool IsHolding => _holding;

    /// <summary>Lets no answer through from the next request on that <paramref name="request"/> accepts.</summary>
    public void HoldAnswersFrom(Func<string, bool> request) => _held = request;

    /// <summary>Ends all connections. New ones work.</summary>
    public void Cut()
    {
        _held = null;
        lock (_gate)
        {
            _open.ForEach(static client => client.Dispose());
            _open.Clear();
        }

        _holding = false;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        Cut();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                var server = new TcpClient();
                await server.ConnectAsync(IPAddress.Loopback, _redis.Port);
                client.NoDelay = server.NoDelay = true;
                lock (_gate)
                {
                    _open.AddRange([client, server]);
                }

                _ = PumpAsync(client, server, LookAt);
                _ = PumpAsync(server, client, _ => !_holding);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private bool LookAt(ReadOnlyMemory<byte> request)
    {
        _holding |= _held is { } held && held(Encoding.Latin1.GetString(request.Span));
        return true;
    }

    private static async Task PumpAsync(TcpClient from, TcpClient to, Func<ReadOnlyMemory<byte>, bool> passes)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.GetStream().ReadAsync(buffer)) > 0)
            {
                if (passes(buffer.AsMemory(0, read)))
                {
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, read));
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut, or ended by the other side.
        }

        from.Dispose();
        to.Dispose();
    }
}
