using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Requests;

/// <summary>Compares the state of one activation with the queue and the results in Redis, which are authoritative.</summary>
internal sealed class RequestChecks(
    RequestKey key, WorkUnderWay underWay, KeptState kept, RequestStores stores, Admission admission, ILogger logger)
{
    /// <summary>The final state of the work if it is known; otherwise finds out whether the work is under way.</summary>
    public async Task<RequestSnapshot?> FindAsync()
    {
        if (underWay.Current is not null)
        {
            return null;
        }

        var (result, isUnderWay) = await ReadAsync();
        if (result is not null)
        {
            underWay.End(result);
            return result;
        }

        if (isUnderWay)
        {
            _ = underWay.Current ?? underWay.Begin();
            underWay.IsAsynchronous |= await kept.ReadAsync() is { Asynchronous: true, End: null };
        }

        return null;
    }

    /// <summary>Checks the work after a wait without an outcome: the message with the outcome may have been lost with a silo.</summary>
    public async Task<RequestSnapshot> CheckAsync(TaskCompletionSource<RequestSnapshot> work, bool joined)
    {
        var (result, isUnderWay) = await ReadAsync();
        if (work.Task.IsCompletedSuccessfully)
        {
            return await work.Task with { Joined = joined };
        }

        RequestSnapshot? refusal = null;
        if (result is null && isUnderWay)
        {
            // Callers that wait while the last device breaks get the same answer as later callers.
            if (admission.Refusal(key.Model) is not { Status: RequestStatus.DevicesBroken } broken || !await TakeOutAsync(work))
            {
                return underWay.Snapshot(joined);
            }

            refusal = broken;
        }

        var end = result ?? refusal ?? new RequestSnapshot(RequestStatus.Unknown);
        if (underWay.Current == work)
        {
            underWay.End(end);
        }

        return end with { Joined = joined };
    }

    /// <summary>
    /// As <see cref="CheckAsync"/>. While Redis is unreachable, accepted work is assumed to be under way: its caller waits until its deadline, and is
    /// not refused because of a failover of Redis.
    /// </summary>
    public async Task<RequestSnapshot> CheckUnlessAwayAsync(TaskCompletionSource<RequestSnapshot> work, bool joined)
    {
        try
        {
            return await CheckAsync(work, joined);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) && underWay.Current == work)
        {
            logger.LogUnavailable(key.Item, e.Message);
            return underWay.Snapshot(joined);
        }
    }

    /// <summary>The last caller has left: removes the item from the queue, unless a batcher has claimed it.</summary>
    public async Task WithdrawAsync(TaskCompletionSource<RequestSnapshot> work)
    {
        try
        {
            if (await TakeOutAsync(work) && underWay.Current == work)
            {
                logger.LogWithdrawn(key.Item);
                underWay.End(new RequestSnapshot(RequestStatus.Unknown));
            }
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // The item stays in the queue, and is processed or expires.
            logger.LogUnavailable(key.Item, e.Message);
        }
    }

    /// <summary>Removes the work from the queue, unless a batcher has claimed it or an asynchronous caller needs it.</summary>
    private async Task<bool> TakeOutAsync(TaskCompletionSource<RequestSnapshot> work) =>
        underWay.IsEnqueued && !underWay.IsAsynchronous && underWay.Current == work && await stores.Queue.WithdrawAsync(key, underWay.QueuedUntil);

    /// <summary>The state in Redis: the result, or whether the work waits or is processed.</summary>
    private async Task<(RequestSnapshot? Result, bool IsUnderWay)> ReadAsync()
    {
        var result = stores.Results.FindOrDiscardAsync(key);
        var isUnderWay = stores.Queue.IsUnderWayAsync(key);
        await Task.WhenAll(result, isUnderWay);
        return (await result is { } found ? new RequestSnapshot(RequestStatus.Done, found, Joined: true) : null, await isUnderWay);
    }
}
