using Detection.Inference.Devices;

namespace Detection.Grains.Devices;

/// <summary>A device of this silo.</summary>
/// <param name="Id">Cluster-unique id. Two silos that see the same GPU give it the same id, so that it has only one batcher.</param>
/// <param name="Device">The device.</param>
public sealed record LocalDevice(string Id, IInferenceDevice Device)
{
    /// <summary><c>cpu</c> or <c>cuda</c>.</summary>
    public string Kind => Device.Name.Split(':')[0];
}

/// <summary>The devices of this silo. They are found before the silo starts, because other silos learn of them when it joins.</summary>
/// <param name="Silo">Name of the silo.</param>
/// <param name="Devices">Its devices; none for a silo that only runs request grains and fetches URLs.</param>
/// <param name="Problems">Devices that the settings name and that do not work, one sentence each.</param>
public sealed record LocalDevices(string Silo, IReadOnlyList<LocalDevice> Devices, IReadOnlyList<string> Problems);
