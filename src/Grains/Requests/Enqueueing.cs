using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Requests;

/// <summary>Puts the work of one request into the queue, once for all callers that submit it at the same time.</summary>
internal sealed class Enqueueing(
    RequestKey key, WorkUnderWay underWay, KeptState kept, RequestStores stores, Admission admission, ClusterClock time, ILogger logger)
{
    /// <summary>Number of callers that stored the picture and were neither accepted nor refused yet.</summary>
    private int _bringing;

    /// <summary>The call that currently puts the work into the queue; <see langword="null"/> when there is none.</summary>
    private PendingEnqueue? _pending;

    /// <summary>Waits for the outcome of a call that currently puts the work into the queue.</summary>
    public async ValueTask PendingAsync()
    {
        while (_pending is { } pending)
        {
            await pending.Outcome;
        }
    }

    /// <summary>Joins the work, or puts it into the queue. Returns a final state when the work is refused or already done.</summary>
    public async Task<(TaskCompletionSource<RequestSnapshot> Work, bool Joined, RequestSnapshot? End)> JoinOrEnqueueAsync(RequestTerms terms)
    {
        _bringing++;
        try
        {
            while (_pending is { } pending)
            {
                if (await pending.Outcome is { } refused && pending.HoldsFor(terms, refused))
                {
                    return (null!, true, refused);
                }
            }

            if (underWay.Current is { } current)
            {
                return (current, true, null);
            }

            var work = underWay.Begin();
            return (work, false, await EnqueueAsync(work, terms));
        }
        finally
        {
            _bringing--;
        }
    }

    /// <summary>A request ended when it was submitted. If it was refused, its picture is removed.</summary>
    public async Task LeavePictureAsync(RequestSnapshot end)
    {
        try
        {
            if (end.Status == RequestStatus.Done)
            {
                await stores.Pictures.KeepAsync(key, ended: true);
            }
            else if (_bringing == 0 && underWay.Current is null)
            {
                await stores.Pictures.RemoveUnacceptedAsync(key.ImageKey);
            }
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // The picture expires.
            logger.LogUnavailable(key.Item, e.Message);
        }
    }

    /// <summary>Puts the work into the queue. Returns a final state when it is refused or already done.</summary>
    private async Task<RequestSnapshot?> EnqueueAsync(TaskCompletionSource<RequestSnapshot> work, RequestTerms terms)
    {
        var pending = _pending = new PendingEnqueue(terms);
        RequestSnapshot? end = new(RequestStatus.Unknown);
        try
        {
            end = await TryEnqueueAsync(work, terms);
        }
        catch (Exception e) when (RequestFailures.IsRefusal(e))
        {
            end = logger.Refused(key, e);
        }
        finally
        {
            if (end is not null && underWay.Current == work)
            {
                underWay.End(end);
            }

            _pending = null;
            pending.End(end);
        }

        return end;
    }

    private async Task<RequestSnapshot?> TryEnqueueAsync(TaskCompletionSource<RequestSnapshot> work, RequestTerms terms)
    {
        if (admission.Refusal(key.Model) is { } refusal)
        {
            return refusal;
        }

        var now = time.GetUtcNow();
        var item = new QueuedItem(key, now + terms.Budget, now, terms.TraceParent, Caller: terms.Caller);
        if (terms.Asynchronous)
        {
            underWay.IsAsynchronous = true;
            await kept.KeepAsynchronousAsync(terms, item.Deadline);
        }

        var limit = admission.Limit(key.Model, terms.Budget);
        var (outcome, place, deadline) = await stores.Queue.EnqueueAsync(item, limit, terms.Asynchronous);
        var done = outcome == EnqueueOutcome.AlreadyDone ? await stores.Results.FindOrDiscardAsync(key) : null;
        if (outcome == EnqueueOutcome.AlreadyDone && done is null)
        {
            // The result has just expired, or was not readable and was removed.
            (outcome, place, deadline) = await stores.Queue.EnqueueAsync(item, limit, terms.Asynchronous);
            done = outcome == EnqueueOutcome.AlreadyDone ? await stores.Results.FindOrDiscardAsync(key) : null;
        }

        RequestSnapshot? end = outcome switch
        {
            EnqueueOutcome.Full => admission.Refusal(key.Model, RequestStatus.Busy, place),
            EnqueueOutcome.ShareUsed => admission.Refusal(key.Model, RequestStatus.ShareUsed, place),
            EnqueueOutcome.TooLate => admission.Refusal(key.Model, RequestStatus.TooLate, place),
            EnqueueOutcome.OwnTooLate => admission.Refusal(key.Model, RequestStatus.OwnTooLate, place),
            EnqueueOutcome.Poison => RequestFailures.Poison,
            EnqueueOutcome.AlreadyDone when done is null => new(RequestStatus.Unknown),
            EnqueueOutcome.AlreadyDone => new(RequestStatus.Done, done, Joined: true),
            _ => null,
        };
        if (end is not null)
        {
            if (terms.Asynchronous)
            {
                // A request whose lost picture was fetched again stays accepted.
                await kept.WriteAsync(state => state.Asynchronous = state.FetchesAgain && end.Status != RequestStatus.Done);
            }

            return end;
        }

        if (underWay.Current == work)
        {
            underWay.Enqueued(outcome == EnqueueOutcome.Queued, place, deadline, admission.Wait(key.Model, place));
        }

        return null;
    }
}
