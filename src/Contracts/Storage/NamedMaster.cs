using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace Detection.Contracts.Storage;

/// <summary>
/// Keeps the connections of a process on the master that the Sentinels name. The Redis library writes to every server that reports itself as master.
/// An old master that returns after a suspension or a network failure does so for about ten seconds, and writes to it are lost when a Sentinel makes
/// it a replica. So this class refuses connections to such a server, and closes existing ones when the master changes. While no Sentinel answers, the
/// last answer is used for a short time; after that no connection is refused.
/// </summary>
internal sealed class NamedMaster(Sentinels sentinels, TimeProvider time) : Tunnel, IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposing = new();
    private readonly List<(EndPoint Server, Socket Socket)> _open = [];
    private (SentinelView View, long At)? _last;
    private Task? _watching;

    /// <summary>
    /// Creates one for all connections of <paramref name="options"/>; <see langword="null"/> where there are no Sentinels, or where a proxy
    /// (<c>tunnel=</c>) is configured.
    /// </summary>
    public static NamedMaster? For(params ReadOnlySpan<ConfigurationOptions> options)
    {
        if (string.IsNullOrEmpty(options[0].ServiceName) || options[0].Tunnel is not null)
        {
            return null;
        }

        var master = new NamedMaster(new Sentinels(options[0].Clone()), TimeProvider.System);
        foreach (var each in options)
        {
            each.Tunnel = master;
        }

        return master;
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The server is not the master and does not follow it.</exception>
    public override async ValueTask<Stream?> BeforeAuthenticateAsync(
        EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken)
    {
        // Recorded before the query, so that a change right after the answer closes the connection.
        Note(endpoint, socket);
        if (!sentinels.Contains(endpoint) && (await LookAsync())?.Refuses(endpoint) == true)
        {
            throw new IOException($"The Sentinels do not name {endpoint} as master, and it does not follow the one that they name.");
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync();
        if (_watching is { } watching)
        {
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _disposing.Dispose();
        await sentinels.DisposeAsync();
    }

    private void Note(EndPoint server, Socket? socket)
    {
        lock (_gate)
        {
            _open.RemoveAll(static open => !open.Socket.Connected);
            if (socket is not null)
            {
                _open.Add((server, socket));
            }

            if (!_disposing.IsCancellationRequested)
            {
                _watching ??= WatchAsync();
            }
        }
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            if (await LookAsync() is { } view)
            {
                Leave(view);
            }
        }
        while (await timer.WaitForNextTickAsync(_disposing.Token));
    }

    private async Task<SentinelView?> LookAsync()
    {
        var view = await sentinels.AskAsync();
        lock (_gate)
        {
            // A Sentinel that was cut off from the others still names the former master.
            if (view is not null && (_last is null || view.Epoch >= _last.Value.View.Epoch || time.GetElapsedTime(_last.Value.At) > Memory))
            {
                _last = (view, time.GetTimestamp());
            }

            return _last is { } last && time.GetElapsedTime(last.At) <= Memory ? last.View : null;
        }
    }

    private void Leave(SentinelView view)
    {
        lock (_gate)
        {
            foreach (var (_, socket) in _open.Where(open => open.Socket.Connected && view.Refuses(open.Server)))
            {
                try
                {
                    // The library notices the closed connection, and asks here before it makes another one.
                    socket.Shutdown(SocketShutdown.Both);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // The connection was closed already.
                }
            }
        }
    }
}
