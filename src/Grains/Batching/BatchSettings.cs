using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Batching;

/// <summary>The settings by which batchers go.</summary>
internal sealed class BatchSettings(IOptions<BatcherOptions> batching, IOptions<QueueOptions> queue, IOptions<ResultOptions> results)
{
    public BatcherOptions Batching => batching.Value;

    public QueueOptions Queue => queue.Value;

    /// <summary>How long results can be read.</summary>
    public TimeSpan ResultExpiry => results.Value.Expiry;
}
