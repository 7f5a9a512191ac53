using Detection.Grains.Batching;
using Detection.Grains.Placement;
using Orleans.Placement;

namespace Detection.Grains.Devices;

/// <summary>
/// Makes sure that each device and model has one batcher in the cluster, on the silo that owns the device. The <see cref="Batcher"/> does the work: a
/// drain in a turn or timer of a grain would delay the stop of the silo. The batcher does not end with its activation, because Orleans ends the
/// activation when a silo leaves that holds its part of the grain directory.
/// </summary>
[GrainType("batcher"), DevicePlacement, KeepAlive, Immovable]
internal sealed class BatcherGrain(InferenceHost host) : Grain, IBatcherGrain
{
    private BatcherKey _key;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = BatcherKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public Task EnsureRunning()
    {
        if (!host.EnsureBatcher(_key))
        {
            // The model was replaced, or the silo is stopping.
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }
}
