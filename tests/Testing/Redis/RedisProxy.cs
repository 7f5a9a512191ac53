using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Detection.Testing;

/// <summary>A proxy of a Redis that can be cut between a request and its answer.</summary>
public sealed class RedisProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly RedisServer _redis;
    private readonly Lock _gate = new();
    private readonly List<TcpClient> _open = [];
    private readonly Task _accepting;
    private Func<string, bool>? _held;
    private volatile Func<string, string?>? _error;
    private volatile bool _holding;
    private volatile bool _silent;

    /// <summary>Starts it before <paramref name="redis"/>.</summary>
    public RedisProxy(RedisServer redis)
    {
        _redis = redis;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The value of <c>ConnectionStrings:redis</c>.</summary>
    public string ConnectionString => _listener.LocalEndpoint.ToString()!;

    /// <summary>Whether <see cref="HoldAnswersFrom"/> has seen its request. Redis has received it, or will soon.</summary>
    public bool IsHolding => _holding;

    /// <summary>Holds all answers from the next request on that <paramref name="request"/> accepts.</summary>
    public void HoldAnswersFrom(Func<string, bool> request) => _held = request;

    /// <summary>
    /// Answers requests with an error of Redis instead of forwarding them: <paramref name="error"/> returns the error of a request, for
    /// example <c>LOADING Redis is loading the dataset in memory</c>, or <see langword="null"/>.
    /// </summary>
    public void Refuse(Func<string, string?>? error) => _error = error;

    /// <summary>Forwards nothing more in either direction and closes no connection, as a broken network. <see cref="Cut"/> ends it.</summary>
    public void Silence() => _silent = true;

    /// <summary>Closes all connections. New ones work.</summary>
    public void Cut()
    {
        _held = null;
        _silent = false;
        lock (_gate)
        {
            _open.ForEach(static client => client.Dispose());
            _open.Clear();
        }

        _holding = false;
    }

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

                var requests = new RespRequests();
                _ = PumpAsync(client, server, bytes => _silent ? default : LookAt(requests, bytes));
                _ = PumpAsync(server, client, bytes => _holding || _silent ? default : bytes);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private ReadOnlyMemory<byte> LookAt(RespRequests requests, ReadOnlyMemory<byte> bytes)
    {
        if (_held is null && _error is null && requests.IsEmpty)
        {
            return bytes;
        }

        var passed = new List<byte>();
        foreach (var request in requests.Read(bytes))
        {
            var text = Encoding.Latin1.GetString(request);
            _holding |= _held is { } held && held(text);

            // Redis itself answers with the error, so that answers stay in their order.
            passed.AddRange(_error?.Invoke(text) is { } error ? RespRequests.Write("EVAL", "return redis.error_reply(ARGV[1])", "0", "-" + error) : request);
        }

        return passed.ToArray();
    }

    private static async Task PumpAsync(TcpClient from, TcpClient to, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> pass)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.GetStream().ReadAsync(buffer)) > 0)
            {
                await to.GetStream().WriteAsync(pass(buffer.AsMemory(0, read)));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut, or closed by the other side.
        }

        from.Dispose();
        to.Dispose();
    }
}
