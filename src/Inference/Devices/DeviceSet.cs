namespace Detection.Inference.Devices;

/// <summary>The devices of this process.</summary>
/// <param name="Devices">The devices that work.</param>
/// <param name="Problems">Faults of devices that were found or configured and do not work, one sentence each.</param>
public sealed record DeviceSet(IReadOnlyList<IInferenceDevice> Devices, IReadOnlyList<string> Problems);
