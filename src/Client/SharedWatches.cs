using Detection.Contracts.Requests;

namespace Detection.Client;

/// <summary>
/// Calls that wait for changes of requests. All callers that watch one request share one call, so thousands of them cost the cluster no more than one.
/// </summary>
internal sealed class SharedWatches(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(RequestKey Key, RequestStatus? Known, bool Waits), SharedWatch> _underWay = [];

    /// <summary>Joins the call that is under way, or starts one, and awaits it.</summary>
    /// <param name="request">The grain of the request.</param>
    /// <param name="key">Its key.</param>
    /// <param name="known">The status that the caller knows.</param>
    /// <param name="left">How long to await the call; zero for one that does not wait for a change.</param>
    /// <param name="cancellationToken">The caller has left. The call goes on for the others.</param>
    /// <returns>The call. Without a snapshot when <paramref name="left"/> passed before it ended.</returns>
    public async Task<SharedWatch> AwaitAsync(
        IRequestGrain request, RequestKey key, RequestStatus? known, TimeSpan left, CancellationToken cancellationToken)
    {
        var waits = left > TimeSpan.Zero;
        var watch = Join(request, (key, known, waits));
        if (waits)
        {
            // Thousands of callers may time out at once, and an exception for each would cost more than the watch.
            await ((Task)watch.Call).WaitAsync(left, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (!watch.Call.IsCompleted)
            {
                return watch;
            }
        }

        await watch.Call;
        return watch;
    }

    private SharedWatch Join(IRequestGrain request, (RequestKey Key, RequestStatus? Known, bool Waits) what)
    {
        SharedWatch? watch;
        lock (_gate)
        {
            if (_underWay.TryGetValue(what, out watch))
            {
                return watch;
            }

            watch = new SharedWatch(time.GetTimestamp());
            _underWay.Add(what, watch);
        }

        CallAsync(request, what, watch).Ignore();
        return watch;
    }

    private async Task CallAsync(IRequestGrain request, (RequestKey Key, RequestStatus? Known, bool Waits) what, SharedWatch watch)
    {
        RequestSnapshot? snapshot = null;
        Exception? failure = null;
        try
        {
            snapshot = await request.Watch(what.Known, what.Waits ? RequestConversation.MaxWait : TimeSpan.Zero, CancellationToken.None)
                .WaitAsync(RequestConversation.MaxWait + RequestConversation.CallGrace, time);
        }
        catch (Exception e)
        {
            failure = e;
        }

        // Do this first: a caller that gets the answer may call again at once.
        lock (_gate)
        {
            _underWay.Remove(what);
        }

        watch.End(snapshot, failure);
    }
}

/// <summary>One call that watches a request.</summary>
internal sealed class SharedWatch(long began)
{
    private readonly TaskCompletionSource<RequestSnapshot> _call = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Timestamp of its start: the call may return a state that is older than an earlier step of its caller.</summary>
    public long Began => began;

    /// <summary>The call.</summary>
    public Task<RequestSnapshot> Call => _call.Task;

    /// <summary>Completes the call for all callers that await it.</summary>
    public void End(RequestSnapshot? snapshot, Exception? failure)
    {
        if (snapshot is not null)
        {
            _call.SetResult(snapshot);
        }
        else
        {
            _call.SetException(failure!);
            _call.Task.Ignore();
        }
    }
}
