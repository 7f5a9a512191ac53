namespace Detection.Embedded;

/// <summary>Tells the log of connections that were ended because they did not begin with the password: once a minute at most, whatever comes.</summary>
internal sealed partial class RefusedConnections(string store, TimeProvider time, ILogger<RefusedConnections> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private DateTimeOffset _toldAt = DateTimeOffset.MinValue;
    private long _count;

    /// <summary>What they connected to, in messages.</summary>
    public string Store => store;

    /// <summary>One more was ended.</summary>
    public void Add()
    {
        long count;
        lock (_lock)
        {
            _count++;
            if (time.GetUtcNow() - _toldAt < Pause)
            {
                return;
            }

            _toldAt = time.GetUtcNow();
            (count, _count) = (_count, 0);
        }

        LogRefused(count, store);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning,
        Message = "{Count} connections to the {Store} did not begin with its password and are ended. So are further ones; this is told once a minute at most.")]
    private partial void LogRefused(long count, string store);
}
