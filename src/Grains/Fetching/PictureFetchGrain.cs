using Detection.Contracts.Fetching;
using Orleans.Concurrency;

namespace Detection.Grains.Fetching;

/// <summary>
/// Passes grain calls to this silo's <see cref="PictureFetcher"/>. One activation per silo accepts all calls at once; the fetcher limits how many
/// run. A call runs on the silo that receives it, so the limits and shares of fetching apply to one silo: a cluster of three silos fetches three
/// times as much at once.
/// </summary>
[GrainType("picturefetch"), StatelessWorker(1), Reentrant]
internal sealed class PictureFetchGrain(PictureFetcher fetcher) : Grain, IPictureFetchGrain
{
    // On the thread pool, so that hashing and download steps do not use turns of the grain.
    public Task<FetchOutcome> Fetch(Uri url, TimeSpan budget, string? caller, CancellationToken cancellationToken) =>
        Task.Run(() => fetcher.FetchAsync(url, budget, caller, cancellationToken), CancellationToken.None);
}
