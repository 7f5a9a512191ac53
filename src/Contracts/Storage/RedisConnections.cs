using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>
/// The connections of a process to the Redis of one cluster: one for short commands, which all users share, and one for pictures, so that no command
/// waits behind a picture. Each is made at its first use. A process should have one instance: every connection reconnects after an outage and follows
/// the master under Sentinel by itself, which has a cost; both go to the master that the Sentinels name. An embedded cluster keeps its pictures in a
/// separate picture memory (<see cref="PictureMemoryCommands"/>); the connection for pictures then leads there.
/// </summary>
public sealed class RedisConnections : IAsyncDisposable
{
    private readonly NamedMaster? _master;
    private readonly LazyConnection _commands;
    private readonly LazyConnection _pictures;

    /// <param name="connectionString">See <see cref="RedisConnection.Parse"/>.</param>
    /// <param name="pictureMemory">Connection string of the picture memory; <see langword="null"/> or empty where pictures lie in Redis.</param>
    public RedisConnections(string connectionString, string? pictureMemory = null)
    {
        var commands = RedisConnection.Parse(connectionString);
        CommandTimeout = TimeSpan.FromMilliseconds(commands.AsyncTimeout);
        HasPictureMemory = !string.IsNullOrWhiteSpace(pictureMemory);
        var pictures = HasPictureMemory ? RedisConnection.ParseForPictureMemory(pictureMemory!) : RedisConnection.ParseForPictures(connectionString);
        _master = HasPictureMemory ? null : NamedMaster.For(commands, pictures);
        _commands = new(commands);
        _pictures = new(pictures);
    }

    /// <summary>Whether pictures are stored in a picture memory and not in Redis.</summary>
    public bool HasPictureMemory { get; }

    /// <summary>Command timeout.</summary>
    internal TimeSpan CommandTimeout { get; }

    /// <summary>The connection for everything except pictures.</summary>
    /// <exception cref="RedisConnectionException">No Sentinel answers; the next call tries again.</exception>
    public ValueTask<IConnectionMultiplexer> ConnectAsync()
    {
        // A process that sends a command will soon transfer a picture, which should not wait for its connection.
        _pictures.Begin();
        return _commands.GetAsync();
    }

    /// <summary>The connection for pictures only.</summary>
    /// <exception cref="RedisConnectionException">As for <see cref="ConnectAsync"/>.</exception>
    internal ValueTask<IConnectionMultiplexer> ConnectForPicturesAsync() => _pictures.GetAsync();

    /// <summary>
    /// The connection for short commands about pictures. For a picture memory it is the connection that also transfers pictures: on one machine a
    /// command does not wait long behind them.
    /// </summary>
    /// <exception cref="RedisConnectionException">As for <see cref="ConnectAsync"/>.</exception>
    internal ValueTask<IConnectionMultiplexer> ConnectForPictureCommandsAsync() => HasPictureMemory ? _pictures.GetAsync() : _commands.GetAsync();

    /// <summary>Closes a connection for pictures that does not transfer any more; the next transfer makes a new one.</summary>
    internal Task ReplaceForPicturesAsync(IConnectionMultiplexer broken) => _pictures.ReplaceAsync(broken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _commands.DisposeAsync();
        await _pictures.DisposeAsync();
        if (_master is not null)
        {
            await _master.DisposeAsync();
        }
    }

    private sealed class LazyConnection(ConfigurationOptions options) : IAsyncDisposable
    {
        private readonly Lock _gate = new();
        private Task<IConnectionMultiplexer>? _connection;
        private bool _disposed;

        public ValueTask<IConnectionMultiplexer> GetAsync()
        {
            var connection = Volatile.Read(ref _connection);
            return connection is { IsCompletedSuccessfully: true } ? new(connection.Result) : new(GetOrConnect());
        }

        /// <summary>Starts to connect if not connected, without waiting.</summary>
        public void Begin()
        {
            if (Volatile.Read(ref _connection) is null)
            {
                _ = GetOrConnect();
            }
        }

        public async Task ReplaceAsync(IConnectionMultiplexer broken)
        {
            lock (_gate)
            {
                if (_connection is not { IsCompletedSuccessfully: true } connection || connection.Result != broken)
                {
                    return;
                }

                _connection = null;
            }

            await EndAsync(broken);
        }

        public async ValueTask DisposeAsync()
        {
            Task<IConnectionMultiplexer>? connection;
            lock (_gate)
            {
                _disposed = true;
                connection = _connection;
            }

            if (connection is not null)
            {
                try
                {
                    // Does not wait for a last answer: an unreachable Redis would delay the end of the process.
                    await EndAsync(await connection);
                }
                catch (Exception e) when (RedisConnection.IsOutage(e))
                {
                    // The connection was never made.
                }
            }
        }

        private static async Task EndAsync(IConnectionMultiplexer connection)
        {
            await connection.CloseAsync(allowCommandsToComplete: false);
            await connection.DisposeAsync();
        }

        private Task<IConnectionMultiplexer> GetOrConnect()
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, typeof(RedisConnections));
                if (_connection is null or { IsFaulted: true } or { IsCanceled: true })
                {
                    // On the thread pool: the library blocks while it asks Sentinels.
                    _connection = DetachedWork.Run(async () => (IConnectionMultiplexer)await ConnectionMultiplexer.ConnectAsync(options));
                }

                return _connection;
            }
        }
    }
}
