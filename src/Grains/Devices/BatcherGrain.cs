using Detection.Grains.Batching;
using Detection.Grains.Placement;
using Orleans.Placement;

namespace Detection.Grains.Devices;

/// <summary>
/// Makes sure that a device and a model have one batcher in the cluster, on the silo that owns the device. The work is the
/// <see cref="Batcher"/>'s; a drain that ran in a grain's turn or timer would hold up the silo's stop. Nor does the batcher end
/// with its activation: Orleans gives that up when another silo leaves with its part of the grain directory.
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
