namespace Detection.Inference.Devices;

/// <summary>The devices of this process.</summary>
/// <param name="Devices">Those that work.</param>
/// <param name="Problems">What is wrong with those that were asked for or found and do not, one sentence each.</param>
public sealed record DeviceSet(IReadOnlyList<IInferenceDevice> Devices, IReadOnlyList<string> Problems);
