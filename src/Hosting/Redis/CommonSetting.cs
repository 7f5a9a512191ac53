using Detection.Contracts.Security;

namespace Detection.Hosting.Redis;

/// <summary>A setting of which all silos of a cluster must have the same value.</summary>
/// <param name="Name">The setting or its section.</param>
/// <param name="Subject">What is another one in another silo, in a sentence.</param>
/// <param name="Conflict">What happens while two silos differ, in a sentence.</param>
/// <param name="Options">The options that hold it.</param>
/// <param name="Key">Where its mark stands in Redis.</param>
/// <param name="Mark">The mark of this silo's value, which may change while it runs.</param>
internal sealed record CommonSetting(string Name, string Subject, string Conflict, Type Options, string Key, Func<ClusterMark> Mark);
