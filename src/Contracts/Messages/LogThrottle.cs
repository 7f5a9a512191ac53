namespace Detection.Contracts.Messages;

/// <summary>Limits a log message that outsiders can cause: writes one in each interval and counts the others.</summary>
/// <param name="pause">Shortest time between two messages.</param>
/// <param name="time">The clock of the intervals.</param>
public sealed class LogThrottle(TimeSpan pause, TimeProvider time)
{
    private readonly Lock _gate = new();
    private long? _logged;
    private int _passedOver;

    /// <summary>Whether to write the message now.</summary>
    /// <param name="passedOver">Number of messages that were not written since the last one that was.</param>
    public bool IsDue(out int passedOver)
    {
        lock (_gate)
        {
            if (_logged is { } logged && time.GetElapsedTime(logged) < pause)
            {
                _passedOver++;
                passedOver = 0;
                return false;
            }

            _logged = time.GetTimestamp();
            (passedOver, _passedOver) = (_passedOver, 0);
            return true;
        }
    }
}
