using Detection.Contracts.Pictures;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Batching;

/// <summary>What batchers are made of, the same for all of a silo.</summary>
internal sealed class BatcherServices(
    RequestQueue queue,
    ResultStore results,
    PictureStore pictures,
    ImageKeys keys,
    IGrainFactory grains,
    IOptions<BatcherOptions> options,
    IOptions<QueueOptions> queueOptions,
    IOptions<ResultOptions> resultOptions,
    BatchingMetrics metrics,
    TimeProvider time,
    ClusterClock clock,
    ILogger<Batcher> logger)
{
    public RequestQueue Queue => queue;

    public ResultStore Results => results;

    public PictureStore Pictures => pictures;

    public ImageKeys ImageKeys => keys;

    public IGrainFactory Grains => grains;

    public BatcherOptions Options => options.Value;

    public QueueOptions QueueOptions => queueOptions.Value;

    public TimeSpan ResultExpiry => resultOptions.Value.Expiry;

    public BatchingMetrics Metrics => metrics;

    public TimeProvider Time => time;

    /// <summary>The clock of the items' times.</summary>
    public ClusterClock Clock => clock;

    public ILogger<Batcher> Logger => logger;
}
