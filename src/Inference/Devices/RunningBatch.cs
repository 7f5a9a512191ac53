namespace Detection.Inference.Devices;

/// <summary>Keeps count of a batch's pictures: its task ends when each is completed or given up.</summary>
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

    /// <summary>Whether the caller no longer wants pictures that have not been begun.</summary>
    public bool IsCancelled => cancellationToken.IsCancellationRequested;

    /// <summary>Cancelled when the caller no longer wants them.</summary>
    public CancellationToken Cancellation => cancellationToken;

    /// <summary>Ends after the last picture.</summary>
    public Task Done => _done.Task;

    /// <summary>Hands over a picture's outcome.</summary>
    public void Complete(int index, PictureOutcome outcome)
    {
        try
        {
            completed(index, outcome);
        }
#pragma warning disable CA1031 // The caller's fault is the caller's to see, at the end; a worker must go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _fault, e, null);
        }

        CountDown();
    }

    /// <summary>Gives a picture up because the batch is cancelled.</summary>
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
