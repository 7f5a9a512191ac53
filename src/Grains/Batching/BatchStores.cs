using Detection.Contracts.Pictures;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;

namespace Detection.Grains.Batching;

/// <summary>Where batchers get their items and pictures, and where they bring what comes of them.</summary>
internal sealed class BatchStores(
    BatcherQueue queue, PictureStore pictures, ImageKeys imageKeys, ResultStore results, IGrainFactory grains, ClusterClock clock)
{
    public BatcherQueue Queue => queue;

    public PictureStore Pictures => pictures;

    /// <summary>Say whether bytes are those of the picture that an item names.</summary>
    public ImageKeys ImageKeys => imageKeys;

    public ResultStore Results => results;

    /// <summary>The clock of the items' times.</summary>
    public ClusterClock Clock => clock;

    /// <summary>The grain of an item's request.</summary>
    public IRequestGrain Request(RequestKey key) => grains.GetGrain<IRequestGrain>(key.ToString());
}
