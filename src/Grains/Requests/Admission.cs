using Detection.Contracts.Cluster;
using Detection.Contracts.Requests;
using Detection.Grains.Cluster;
using Detection.Grains.Queueing;

namespace Detection.Grains.Requests;

/// <summary>
/// Decides whether a model accepts requests, and how long the queue may be for a request to be served in time: the number of pictures that the
/// model's batchers process until its deadline, at the rate that they measured while they were busy. Without a measured rate only the queue's
/// capacity applies.
/// </summary>
public sealed class Admission(ClusterView cluster)
{
    /// <summary>Why requests for a model are refused now; <see langword="null"/> when they are accepted.</summary>
    public RequestSnapshot? Refusal(string model) => cluster.Models.Find(model)?.Standing switch
    {
        ModelStanding.Retired or ModelStanding.Gone => RequestFailures.ModelGone,
        ModelStanding.Broken => RequestFailures.DevicesBroken,
        _ => null,
    };

    /// <summary>The refusal of a request that does not enter the queue, with <paramref name="before"/> items before it.</summary>
    public RequestSnapshot Refusal(string model, RequestStatus status, int before) => new(
        status,
        RetryAfter: RetryAfter(model, before),
        EstimatedWait: status is RequestStatus.TooLate or RequestStatus.OwnTooLate ? Wait(model, before) : null);

    /// <summary>Whether no silo will serve a model any more.</summary>
    public bool IsGone(string model) => cluster.Models.Find(model)?.Standing == ModelStanding.Gone;

    /// <summary>Maximum number of items that may be before a request with <paramref name="budget"/> left.</summary>
    public int Limit(string model, TimeSpan budget)
    {
        var rate = Rate(model);
        return rate > 0 ? (int)Math.Clamp(rate * budget.TotalSeconds, 1, int.MaxValue) : int.MaxValue;
    }

    /// <summary>Expected time until <paramref name="length"/> items are done; <see langword="null"/> when no rate is known.</summary>
    public TimeSpan? Wait(string model, int length)
    {
        var rate = Rate(model);
        return rate > 0 ? TimeSpan.FromSeconds(length / rate) : null;
    }

    /// <summary>When to retry for a queue of <paramref name="length"/>: when half of it is done, but at least after a second.</summary>
    public TimeSpan RetryAfter(string model, int length) =>
        Wait(model, length / 2) is { } wait && wait > TimeSpan.FromSeconds(1)
            ? TimeSpan.FromSeconds(Math.Ceiling(wait.TotalSeconds))
            : TimeSpan.FromSeconds(1);

    private double Rate(string model)
    {
        var rate = 0.0;
        foreach (var silo in cluster.Silos)
        {
            foreach (var batcher in silo.Batchers)
            {
                if (batcher.Model == model && batcher.Works)
                {
                    rate += batcher.Rate;
                }
            }
        }

        return rate;
    }
}
