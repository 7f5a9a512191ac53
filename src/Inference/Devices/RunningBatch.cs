namespace Detection.Inference.Devices;

/// <summary>Counts a batch's pictures: its task completes when each is completed or dropped.</summary>
internal sealed class RunningBatch(
    IReadOnlyList<PictureWork> pictures,
    Action<int, PictureOutcome> completed,
    CancellationToken cancellationToken)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open = pictures.Count;
    private bool _cancelled;
    private Exception? _fault;

    /// <summary>The pictures.</summary>
    public IReadOnlyList<PictureWork> Pictures => pictures;

    /// <summary>Whether the caller does not need pictures any more that have not started.</summary>
    public bool IsCancelled => cancellationToken.IsCancellationRequested;

    /// <summary>Cancelled when the caller does not need the pictures any more.</summary>
    public CancellationToken Cancellation => cancellationToken;

    /// <summary>Completes after the last picture.</summary>
    public Task Done => _done.Task;

    /// <summary>Reports a picture's outcome to the caller.</summary>
    public void Complete(int index, PictureOutcome outcome)
    {
        try
        {
            completed(index, outcome);
        }
#pragma warning disable CA1031 // An exception of the caller's callback is rethrown to the caller at the end; a worker must continue.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _fault, e, null);
        }

        CountDown();
    }

    /// <summary>Drops a picture because the batch is cancelled.</summary>
    public void GiveUp()
    {
        Volatile.Write(ref _cancelled, true);
        CountDown();
    }

    private void CountDown()
    {
        if (Interlocked.Decrement(ref _open) > 0)
        {
            return;
        }

        if (_fault is not null)
        {
            _done.SetException(_fault);
        }
        else if (Volatile.Read(ref _cancelled))
        {
            _done.SetCanceled(cancellationToken);
        }
        else
        {
            _done.SetResult();
        }
    }
}
