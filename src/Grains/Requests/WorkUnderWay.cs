using Detection.Contracts.Requests;
using Detection.Contracts.Storage;

namespace Detection.Grains.Requests;

/// <summary>
/// The work under way as one activation knows it. The calls of the grain interleave; this class holds the state that they share between awaits.
/// </summary>
internal sealed class WorkUnderWay(RequestKey key, PictureStore pictures)
{
    private TaskCompletionSource _running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RequestStatus _status = RequestStatus.Unknown;
    private int _position;
    private TimeSpan? _estimate;

    /// <summary>Completed with the outcome of the work; <see langword="null"/> while no work is known.</summary>
    public TaskCompletionSource<RequestSnapshot>? Current { get; private set; }

    /// <summary>Completed when the work leaves the queue.</summary>
    public Task Running => _running.Task;

    /// <summary>Whether an asynchronous caller will ask for the answer later.</summary>
    public bool IsAsynchronous { get; set; }

    /// <summary>Whether this activation put the work into the queue, so that no other activation can have written its state.</summary>
    public bool IsEnqueued { get; private set; }

    /// <summary>The deadline of the work when this activation put it into the queue.</summary>
    public DateTimeOffset QueuedUntil { get; private set; }

    /// <summary>Number of callers that wait for the outcome.</summary>
    public int Waiting { get; set; }

    /// <summary>The latest deadline of the callers so far.</summary>
    public DateTimeOffset LatestDeadline { get; set; }

    public TaskCompletionSource<RequestSnapshot> Begin()
    {
        _running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Current = new TaskCompletionSource<RequestSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The work was put into the queue, or was already there.</summary>
    public void Enqueued(bool byThis, int place, DateTimeOffset deadline, TimeSpan? estimate)
    {
        IsEnqueued = byThis;
        QueuedUntil = deadline;
        _status = byThis && _status != RequestStatus.Running ? RequestStatus.Queued : _status;
        _position = place;
        _estimate = estimate;
    }

    public void Started()
    {
        if (Current is not null)
        {
            _status = RequestStatus.Running;
            _running.TrySetResult();
        }
    }

    public void End(RequestSnapshot outcome)
    {
        var work = Current;
        Current = null;
        _status = RequestStatus.Unknown;
        _position = 0;
        IsAsynchronous = false;
        IsEnqueued = false;
        _running.TrySetResult();
        work?.TrySetResult(outcome);
        pictures.ReleaseAsync(key).Ignore();
    }

    public RequestSnapshot Snapshot(bool joined) => new(
        Current is null ? RequestStatus.Unknown : _status == RequestStatus.Running ? RequestStatus.Running : RequestStatus.Queued,
        Position: _position,
        EstimatedWait: _estimate,
        Joined: joined);
}
