using Detection.Contracts.Security;

namespace Detection.Hosting.Redis;

/// <summary>A setting that must have the same value on all silos of a cluster.</summary>
/// <param name="Name">The setting or its section.</param>
/// <param name="Subject">The thing that differs between silos, as part of a sentence.</param>
/// <param name="Conflict">What happens while two silos differ, as part of a sentence.</param>
/// <param name="Options">The options type of the setting.</param>
/// <param name="Key">Redis key of its mark.</param>
/// <param name="Mark">The mark of this silo's value, which may change while the silo runs.</param>
internal sealed record CommonSetting(string Name, string Subject, string Conflict, Type Options, string Key, Func<ClusterMark> Mark);
