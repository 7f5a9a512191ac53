namespace Detection.Contracts.Messages;

/// <summary>Keeps a message that strangers can bring about from filling the log: one in each pause is written, the others are counted.</summary>
/// <param name="pause">Time between two messages.</param>
/// <param name="time">The clock of the pauses.</param>
public sealed class LogThrottle(TimeSpan pause, TimeProvider time)
{
    private readonly Lock _gate = new();
    private long? _logged;
    private int _passedOver;

    /// <summary>Whether the message is to be written now.</summary>
    /// <param name="passedOver">How many were not written since the last one that was.</param>
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
