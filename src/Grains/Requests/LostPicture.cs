using Detection.Contracts.Fetching;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;

namespace Detection.Grains.Requests;

/// <summary>Fetches the picture of an accepted request again, when Redis has lost it: until it is there, or the deadline is near.</summary>
internal sealed class LostPicture(RequestKey key, IGrainFactory grains, ClusterClock time)
{
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(5);

    /// <summary>What is left of the deadline when the request fails rather than expires, for its callers to read the reason.</summary>
    private static readonly TimeSpan Reserve = TimeSpan.FromSeconds(1);

    /// <returns>Why the picture could not be fetched; <see langword="null"/> when it is in the picture store.</returns>
    public async Task<string?> FetchAgainAsync(Uri url, string? caller, DateTimeOffset deadline, CancellationToken stopping)
    {
        var reason = "Its deadline has passed.";
        for (var delay = TimeSpan.FromMilliseconds(500); deadline - time.GetUtcNow() > Reserve; delay = delay < MaxDelay / 2 ? 2 * delay : MaxDelay)
        {
            try
            {
                var left = deadline - time.GetUtcNow() - Reserve;
                var fetched = await grains.GetGrain<IPictureFetchGrain>(0).Fetch(url, left, caller, stopping);
                if (fetched.Status == FetchStatus.Stored)
                {
                    return fetched.ImageKey == key.ImageKey ? null : "The address has another picture now.";
                }

                reason = fetched.Message ?? reason;
                if (fetched.IsFinal)
                {
                    return reason;
                }
            }
            catch (Exception e)
            {
                reason = RedisConnection.IsOutage(e) ? RedisConnection.Explain(e) : "A silo stopped.";
            }

            await ((Task)Task.Delay(delay, time, stopping)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (stopping.IsCancellationRequested)
            {
                return "The silo stopped.";
            }
        }

        return reason;
    }
}
