namespace Detection.Inference.Devices;

/// <summary>Admits batches until it is closed, and reports when the last one has ended.</summary>
internal sealed class CallGate
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _inside;
    private bool _closed;

    /// <summary>Admits a batch if it is open, and removes it after its last picture.</summary>
    /// <param name="session">The session that the exception names.</param>
    /// <param name="batch">The pictures.</param>
    /// <param name="completed">Receives their outcomes.</param>
    /// <param name="start">Starts them.</param>
    /// <param name="cancellationToken">Drops pictures that have not started.</param>
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

    /// <summary>Admits no more batches; the task completes when all have ended.</summary>
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
