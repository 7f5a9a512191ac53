using System.Net;
using System.Net.Sockets;

namespace Detection.Testing;

/// <summary>
/// A Redis behind a link that carries few bytes a second, in each direction, of all connections together: what one connection sends
/// the others wait for, as on a real link.
/// </summary>
public sealed class SlowRedis : IRedisDeployment
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly RedisServer _redis;
    private readonly Link _up;
    private readonly Link _down;
    private readonly List<Task> _carrying = [];
    private readonly Task _accepting;

    /// <summary>Puts the link before a server.</summary>
    /// <param name="redis">The server, disposed of with the link.</param>
    /// <param name="bytesPerSecond">What the link carries in each direction.</param>
    public SlowRedis(RedisServer redis, int bytesPerSecond)
    {
        _redis = redis;
        _up = new Link(bytesPerSecond);
        _down = new Link(bytesPerSecond);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string ConnectionString => _listener.LocalEndpoint.ToString()!;

    public IReadOnlyDictionary<string, string?> ClientEnvironment => _redis.ClientEnvironment;

    public IReadOnlyList<RedisServer> Servers => _redis.Servers;

    /// <summary>Bytes that have come from the server.</summary>
    public long BytesDown => _down.Bytes;

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_carrying);
        _up.Dispose();
        _down.Dispose();
        _ended.Dispose();
        await _redis.DisposeAsync();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _carrying.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_ended.Token)));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _redis.Port, _ended.Token);

                // Small buffers: what stands in them has left the sender and would not count as sent.
                client.NoDelay = server.NoDelay = true;
                client.SendBufferSize = client.ReceiveBufferSize = server.SendBufferSize = server.ReceiveBufferSize = Link.Piece;
                Task[] directions = [CarryAsync(client, server, _up), CarryAsync(server, client, _down)];
                await Task.WhenAny(directions);
                client.Close();
                server.Close();
                await Task.WhenAll(directions);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // Redis is away, or the test is over.
            }
        }
    }

    private async Task CarryAsync(TcpClient from, TcpClient to, Link link)
    {
        var piece = new byte[Link.Piece];
        try
        {
            int read;
            while ((read = await from.GetStream().ReadAsync(piece, _ended.Token)) > 0)
            {
                await link.PassAsync(read, _ended.Token);
                await to.GetStream().WriteAsync(piece.AsMemory(0, read), _ended.Token);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // Ended by one of the sides.
        }
    }

    /// <summary>One direction. Connections have their pieces carried in the order in which they bring them.</summary>
    private sealed class Link(int bytesPerSecond) : IDisposable
    {
        public const int Piece = 16 * 1024;

        private readonly SemaphoreSlim _turn = new(1);
        private long _freeAt = Environment.TickCount64;
        private double _rest;
        private long _bytes;

        public long Bytes => Volatile.Read(ref _bytes);

        public void Dispose() => _turn.Dispose();

        public async Task PassAsync(int bytes, CancellationToken cancellation)
        {
            await _turn.WaitAsync(cancellation);
            try
            {
                Interlocked.Add(ref _bytes, bytes);
                _rest += 1000.0 * bytes / bytesPerSecond;
                var due = (long)_rest;
                _rest -= due;
                _freeAt = Math.Max(_freeAt, Environment.TickCount64 - 10) + due;
                var wait = _freeAt - Environment.TickCount64;
                if (wait > 0)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(wait), cancellation);
                }
            }
            finally
            {
                _turn.Release();
            }
        }
    }
}
