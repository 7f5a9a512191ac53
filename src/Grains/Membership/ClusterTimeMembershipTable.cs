using Detection.Contracts.Storage;

namespace Detection.Grains.Membership;

/// <summary>
/// The membership table of a silo, in which all times are by the clock of the cluster. Orleans writes those of its machine and compares
/// them with its machine's: a silo whose clock is behind would look to the others as if it had fallen silent, and they to it.
/// </summary>
/// <remarks>
/// Where the machine's clock agrees with the cluster's to half a second nothing is changed. Orleans takes the time of what it writes from
/// the machine's clock, and compares what it reads with that or with <paramref name="steady"/>, which differ once the machine's was set
/// anew. What is read is so told by the later of the two, since it does no harm that a silo seems alive for a while longer: its closed
/// connections and its missing answers tell as ever. Nothing is written that lies in the future of the cluster.
/// </remarks>
/// <param name="table">The table.</param>
/// <param name="cluster">The clock of the cluster.</param>
/// <param name="machine">The machine's clock.</param>
/// <param name="steady">The other clock by which Orleans goes.</param>
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

    /// <summary>Clocks that agree are not corrected for the time that Redis took to tell its own.</summary>
    private static TimeSpan WholeSeconds(TimeSpan difference) => TimeSpan.FromSeconds(Math.Round(difference.TotalSeconds));

    private static MembershipEntry Changed(MembershipEntry entry, Func<DateTime, DateTime> change)
    {
        // A row that only says that its silo lives has no other time.
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
