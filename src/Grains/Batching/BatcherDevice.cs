using Detection.Grains.Health;
using Detection.Grains.Placement;
using Detection.Inference.Devices;

namespace Detection.Grains.Batching;

/// <summary>What a batcher feeds, known to all its parts.</summary>
/// <param name="Key">The device and the model.</param>
/// <param name="Session">The model on the device.</param>
/// <param name="Watch">Says how healthy the device is, and hears how its pictures end.</param>
/// <param name="Throughput">How much it has to do and does.</param>
internal sealed record BatcherDevice(BatcherKey Key, IModelSession Session, DeviceWatch Watch, Throughput Throughput)
{
    /// <summary>Whether pictures are on the device and none has come off it for too long. Others may wait to be decoded.</summary>
    public bool IsStuck(TimeSpan after) => Throughput.IsStuck(after) && Watch.OnDevice.AreHeld(after);
}
