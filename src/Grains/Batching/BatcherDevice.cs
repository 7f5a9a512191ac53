using Detection.Grains.Health;
using Detection.Grains.Placement;
using Detection.Inference.Devices;

namespace Detection.Grains.Batching;

/// <summary>The device of a batcher, shared by all its parts.</summary>
internal sealed record BatcherDevice(BatcherKey Key, IModelSession Session, DeviceWatch Watch, Throughput Throughput)
{
    /// <summary>Whether pictures are on the device and none has come off it for too long. Pictures that wait to be decoded do not count.</summary>
    public bool IsStuck(TimeSpan after) => Throughput.IsStuck(after) && Watch.OnDevice.AreHeld(after);
}
