using Detection.Contracts.Fetching;
using Orleans.Concurrency;

namespace Detection.Grains.Fetching;

/// <summary>
/// The way from a grain call to this silo's <see cref="PictureFetcher"/>. One activation per silo takes all calls at once;
/// how many run is the fetcher's to say. A call runs on the silo that takes it, so the limits and shares of fetching are those of one
/// silo: a cluster of three fetches three times as much at once.
/// </summary>
[GrainType("picturefetch"), StatelessWorker(1), Reentrant]
internal sealed class PictureFetchGrain(PictureFetcher fetcher) : Grain, IPictureFetchGrain
{
    // On the thread pool, so that hashing and the steps of many downloads take no turns of the grain.
    public Task<FetchOutcome> Fetch(Uri url, TimeSpan budget, string? caller, CancellationToken cancellationToken) =>
        Task.Run(() => fetcher.FetchAsync(url, budget, caller, cancellationToken), CancellationToken.None);
}
