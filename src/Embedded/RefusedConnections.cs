using Detection.Contracts.Messages;

namespace Detection.Embedded;

/// <summary>Logs connections that were closed because they did not begin with the password, once a minute at most.</summary>
internal sealed partial class RefusedConnections(string store, TimeProvider time, ILogger<RefusedConnections> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly LogThrottle _throttle = new(Pause, time);

    /// <summary>What they connected to, in messages.</summary>
    public string Store => store;

    /// <summary>One more was ended.</summary>
    public void Add()
    {
        if (_throttle.IsDue(out var passedOver))
        {
            LogRefused(passedOver + 1, store);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning,
        Message = "{Count} connections to the {Store} did not begin with its password and were closed. This message appears once a minute at most.")]
    private partial void LogRefused(int count, string store);
}
