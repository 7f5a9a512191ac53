namespace Detection.Inference.Devices;

/// <summary>Lets batches in until it is closed, and reports when the last has left.</summary>
internal sealed class CallGate
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _inside;
    private bool _closed;

    /// <summary>Lets a batch in, if it is open, and out after its last picture.</summary>
    /// <param name="session">Named when it is closed.</param>
    /// <param name="batch">The pictures.</param>
    /// <param name="completed">Takes their outcomes.</param>
    /// <param name="start">Sets them going.</param>
    /// <param name="cancellationToken">Gives up pictures that are not begun.</param>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public async Task RunAsync(
        IModelSession session,
        IReadOnlyList<PictureWork> batch,
        Action<int, PictureOutcome> completed,
        Func<RunningBatch, ValueTask> start,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (batch.Count == 0)
        {
            return;
        }

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, session);
            _inside++;
        }

        try
        {
            var running = new RunningBatch(batch, completed, cancellationToken);
            await start(running);
            await running.Done;
        }
        finally
        {
            lock (_lock)
            {
                _inside--;
                Settle();
            }
        }
    }

    /// <summary>Lets no batch in any more; the task ends when all are out.</summary>
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
