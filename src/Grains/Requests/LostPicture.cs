using Detection.Contracts.Fetching;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Objects;

namespace Detection.Grains.Requests;

/// <summary>
/// Fetches the picture of an accepted request again, when Redis has lost it, and puts the request back into the queue. It tries both until the deadline
/// is near.
/// </summary>
internal sealed class LostPicture(RequestKey key, IGrainFactory grains, ClusterClock time)
{
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(5);

    /// <summary>What is left of the deadline when the request fails rather than expires, for its callers to read the reason.</summary>
    private static readonly TimeSpan Reserve = TimeSpan.FromSeconds(1);

    /// <param name="url">Where the picture is.</param>
    /// <param name="caller">The caller for whom it is fetched.</param>
    /// <param name="deadline">The deadline of the request.</param>
    /// <param name="enqueue">Puts the request into the queue, once its picture is in the picture store.</param>
    /// <param name="stopping">Cancelled when the silo stops; the outcome is of no use then.</param>
    /// <returns>How the request ended; <see langword="null"/> when it is in the queue again, or done.</returns>
    public async Task<RequestSnapshot?> FetchAgainAsync(
        Uri url, string? caller, DateTimeOffset deadline, Func<Task<RequestSnapshot>> enqueue, CancellationToken stopping)
    {
        var reason = "could not be fetched again: its deadline has passed.";
        var delay = MinDelay;
        var isStored = false;
        while (deadline - time.GetUtcNow() > Reserve && !stopping.IsCancellationRequested)
        {
            if (!isStored)
            {
                var fetched = await FetchAsync(url, deadline - time.GetUtcNow() - Reserve, caller, stopping);
                isStored = fetched.Status == FetchStatus.Stored;
                reason = $"could not be fetched again: {fetched.Message}";
                if (fetched.IsFinal)
                {
                    break;
                }
            }

            if (isStored)
            {
                var again = await enqueue();
                switch (again)
                {
                    case { Status: RequestStatus.Queued or RequestStatus.Running or RequestStatus.Done }:
                        return null;
                    case { Status: RequestStatus.Failed, Failure.Reason: not FailureReason.PictureLost }:
                        return again;
                }

                // The store may have lost it once more. A queue that is full is asked again soon: others take the places that become free.
                isStored = again.Status != RequestStatus.Failed;
                reason = $"was fetched again, but the request was not put into the queue again until shortly before its deadline: {Explain(again.Status)}";
                delay = MinDelay;
            }

            await ((Task)Task.Delay(delay, time, stopping)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            delay = delay < MaxDelay / 2 ? 2 * delay : MaxDelay;
        }

        return new RequestSnapshot(
            RequestStatus.Failed, Failure: new(FailureReason.PictureLost, $"The picture was lost from Redis, and {reason} Send it again."));
    }

    private async Task<FetchOutcome> FetchAsync(Uri url, TimeSpan left, string? caller, CancellationToken stopping)
    {
        try
        {
            var fetched = await grains.GetGrain<IPictureFetchGrain>(0).Fetch(url, left, caller, stopping);
            return fetched.Status == FetchStatus.Stored && fetched.ImageKey != key.ImageKey
                ? new FetchOutcome(FetchStatus.NotReachable, Message: "The address has another picture now.") { IsFinal = true }
                : fetched;
        }
        catch (Exception e)
        {
            return new FetchOutcome(FetchStatus.NotReachable, Message: RedisConnection.IsOutage(e) ? RedisConnection.Explain(e) : "A silo stopped.");
        }
    }

    private static string Explain(RequestStatus refusal) => refusal switch
    {
        RequestStatus.Busy => "The queue is full.",
        RequestStatus.ShareUsed => "Your share of the queue is used.",
        RequestStatus.TooLate or RequestStatus.OwnTooLate => "The queued work takes longer than its deadline.",
        RequestStatus.StorageFull => "Redis has no memory left.",
        RequestStatus.DevicesBroken => "Every device that serves the model is broken.",
        RequestStatus.Failed => "The picture was lost again.",
        _ => "The queue cannot be reached.",
    };
}
