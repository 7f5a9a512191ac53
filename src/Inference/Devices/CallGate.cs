namespace Detection.Inference.Devices;

/// <summary>Lets calls in until it is closed, and tells when the last has left.</summary>
internal sealed class CallGate
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _inside;
    private bool _closed;

    /// <summary>Enters, if it is open.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public void Enter(object owner)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, owner);
            _inside++;
        }
    }

    /// <summary>Leaves.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _inside--;
            Settle();
        }
    }

    /// <summary>Lets nobody in any more; the task ends when all are out.</summary>
    public Task CloseAsync()
    {
        lock (_lock)
        {
            _closed = true;
            Settle();
        }

        return _empty.Task;
    }

    private void Settle()
    {
        if (_closed && _inside == 0)
        {
            _empty.TrySetResult();
        }
    }
}
