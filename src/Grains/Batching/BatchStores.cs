using Detection.Contracts.Pictures;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;

namespace Detection.Grains.Batching;

/// <summary>The stores that batchers read items and pictures from and write outcomes to.</summary>
internal sealed class BatchStores(
    BatcherQueue queue, PictureStore pictures, ImageKeys imageKeys, ResultStore results, DeadLetters dead, IGrainFactory grains, ClusterClock clock)
{
    public BatcherQueue Queue => queue;

    public PictureStore Pictures => pictures;

    /// <summary>Checks that bytes are those of the picture that an item names.</summary>
    public ImageKeys ImageKeys => imageKeys;

    public ResultStore Results => results;

    public DeadLetters Dead => dead;

    /// <summary>The clock of the items' times.</summary>
    public ClusterClock Clock => clock;

    /// <summary>The grain of an item's request.</summary>
    public IRequestGrain Request(RequestKey key) => grains.GetGrain<IRequestGrain>(key.ToString());
}
