using Detection.Contracts.Storage;

namespace Detection.Grains.Membership;

/// <summary>
/// The membership table of a silo, with all times on the cluster's clock. Orleans writes the times of its machine and compares them with its
/// machine's clock: a silo whose clock is behind would look silent to the others, and they to it.
/// </summary>
/// <remarks>
/// When the machine's clock agrees with the cluster's to half a second, nothing is changed. Orleans writes times of the machine's clock, and compares
/// the times that it reads with that clock or with <paramref name="steady"/>, which differ once the machine's clock was set. So times are converted
/// to the later of the two: it is harmless when a silo seems alive for longer, because closed connections and missing answers are still detected.
/// Nothing is written that lies in the future of the cluster.
/// </remarks>
/// <param name="table">The table.</param>
/// <param name="cluster">The clock of the cluster.</param>
/// <param name="machine">The machine's clock.</param>
/// <param name="steady">The other clock that Orleans uses.</param>
internal sealed class ClusterTimeMembershipTable(IMembershipTable table, ClusterClock cluster, TimeProvider machine, TimeProvider steady)
    : MembershipTableDecorator(table)
{
    public override Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken) =>
        base.CleanupDefunctSiloEntriesAsync(beforeDate - Ahead(), cancellationToken);

    public override async Task<MembershipTableData> ReadRowAsync(SiloAddress key, CancellationToken cancellationToken) =>
        ToLocal(await base.ReadRowAsync(key, cancellationToken));

    public override async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken) =>
        ToLocal(await base.ReadAllAsync(cancellationToken));

    public override Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken) =>
        base.InsertRowAsync(ToCluster(entry), tableVersion, cancellationToken);

    public override Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken) =>
        base.UpdateRowAsync(ToCluster(entry), etag, tableVersion, cancellationToken);

    public override Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken) =>
        base.UpdateIAmAliveAsync(ToCluster(entry), cancellationToken);

    private MembershipTableData ToLocal(MembershipTableData data)
    {
        var ahead = Ahead();
        return ahead == TimeSpan.Zero
            ? data
            : new MembershipTableData([.. data.Members.Select(member => Tuple.Create(Changed(member.Item1, time => time + ahead), member.Item2))], data.Version);
    }

    private MembershipEntry ToCluster(MembershipEntry entry)
    {
        var now = cluster.GetUtcNow();
        var behind = WholeSeconds(now - machine.GetUtcNow());
        return Changed(entry, time => time + behind < now.UtcDateTime ? time + behind : now.UtcDateTime);
    }

    private TimeSpan Ahead()
    {
        var local = machine.GetUtcNow();
        var even = steady.GetUtcNow();
        return WholeSeconds((local > even ? local : even) - cluster.GetUtcNow());
    }

    /// <summary>Clocks that agree are not corrected for the time that the answer of Redis took.</summary>
    private static TimeSpan WholeSeconds(TimeSpan difference) => TimeSpan.FromSeconds(Math.Round(difference.TotalSeconds));

    private static MembershipEntry Changed(MembershipEntry entry, Func<DateTime, DateTime> change)
    {
        // A row that only reports that its silo is alive has no other time.
        DateTime Of(DateTime time) => time == default ? time : change(time);
        return new()
        {
            SiloAddress = entry.SiloAddress,
            Status = entry.Status,
            SuspectTimes = entry.SuspectTimes?.ConvertAll(vote => Tuple.Create(vote.Item1, Of(vote.Item2))),
            ProxyPort = entry.ProxyPort,
            HostName = entry.HostName,
            SiloName = entry.SiloName,
            RoleName = entry.RoleName,
            UpdateZone = entry.UpdateZone,
            FaultZone = entry.FaultZone,
            StartTime = Of(entry.StartTime),
            IAmAliveTime = Of(entry.IAmAliveTime),
        };
    }
}
