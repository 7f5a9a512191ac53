using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Batching;

/// <summary>The settings of batchers.</summary>
internal sealed class BatchSettings(IOptions<BatcherOptions> batching, IOptions<QueueOptions> queue, IOptions<ResultOptions> results)
{
    public BatcherOptions Batching => batching.Value;

    public QueueOptions Queue => queue.Value;

    /// <summary>How long results are kept.</summary>
    public TimeSpan ResultExpiry => results.Value.Expiry;
}
