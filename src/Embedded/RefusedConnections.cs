using Detection.Contracts.Messages;

namespace Detection.Embedded;

/// <summary>Logs connections that were closed because they did not start with the password, at most once a minute.</summary>
internal sealed partial class RefusedConnections(string store, TimeProvider time, ILogger<RefusedConnections> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly LogThrottle _throttle = new(Pause, time);

    /// <summary>The store that they connected to, for messages.</summary>
    public string Store => store;

    /// <summary>Counts one closed connection.</summary>
    public void Add()
    {
        if (_throttle.IsDue(out var passedOver))
        {
            LogRefused(passedOver + 1, store);
        }
    }

    [LoggerMessage(1, LogLevel.Warning,
        "{Count} connections to the {Store} did not begin with its password and were closed. This message appears once a minute at most.")]
    private partial void LogRefused(int count, string store);
}
