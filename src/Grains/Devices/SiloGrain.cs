using Detection.Contracts.Cluster;
using Detection.Grains.Placement;
using Detection.Inference.Repository;
using Orleans.Placement;

namespace Detection.Grains.Devices;

/// <summary>The way from an administrator's call to this silo. What it begins runs beside the grain.</summary>
[GrainType("silo"), SiloPlacement, Immovable]
internal sealed class SiloGrain(InferenceHost host, ModelRepository repository) : Grain, ISiloGrain
{
    public Task<RetryOutcome> RetryModel(string name)
    {
        if (host.IsDrained)
        {
            return Task.FromResult(RetryOutcome.Drained);
        }

        var outcome = host.Retry(name);
        return Task.FromResult(repository.Retry(name) ? RetryOutcome.Retrying : outcome);
    }

    public Task Drain()
    {
        host.Drain();
        return Task.CompletedTask;
    }
}
