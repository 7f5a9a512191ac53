using System.Net;
using Detection.Contracts.Storage;
using Detection.Grains.Membership;
using Detection.Grains.Tests.Storage;
using Orleans;
using Orleans.Runtime;

namespace Detection.Grains.Tests.Membership;

/// <summary>Silos on machines with different clocks, and one table. Orleans uses the clock of the machine or the steady one.</summary>
public sealed class ClusterTimeMembershipTableTests
{
    private static readonly DateTimeOffset Right = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TableVersion Version = new(1, "1");

    private readonly Table _table = new();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-60, 0)]
    [InlineData(0, -60)]
    [InlineData(420, -7200)]
    [InlineData(-86400, 86400)]
    public async Task IAmAlive_of_one_silo_is_current_for_every_other_silo(int writer, int reader)
    {
        var one = new Machine(_table, writer);
        var other = new Machine(_table, reader);

        await one.Silo.InsertRowAsync(one.Row(1), Version, CancellationToken.None);
        await one.Silo.UpdateIAmAliveAsync(new MembershipEntry { SiloAddress = Address(1), IAmAliveTime = one.Now }, CancellationToken.None);

        var seen = await other.ReadAsync(1);
        Assert.Equal(other.Now, seen.IAmAliveTime);
        Assert.Equal(other.Now, seen.StartTime);
        Assert.Equal(Right.UtcDateTime, _table.Rows[Address(1)].IAmAliveTime);
        Assert.Equal(("host", "silo", 7, SiloStatus.Active), (seen.HostName, seen.SiloName, seen.ProxyPort, seen.Status));
    }

    [Theory]
    [InlineData(-7200)]
    [InlineData(-60)]
    [InlineData(60)]
    [InlineData(7200)]
    public async Task Clock_step_makes_no_silo_seem_silent_and_votes_stay_current(int step)
    {
        var stepped = new Machine(_table, 0);
        var other = new Machine(_table, 0);
        await other.Silo.InsertRowAsync(other.Row(2), Version, CancellationToken.None);

        stepped.Time.Step(step);

        var seen = await stepped.ReadAsync(2);
        Assert.True(seen.IAmAliveTime >= stepped.Now && seen.IAmAliveTime >= stepped.Steady.GetUtcNow().UtcDateTime);

        // It updates its IAmAlive time and votes against the other silo, by the changed clock.
        await stepped.Silo.InsertRowAsync(stepped.Row(1), Version, CancellationToken.None);
        seen.AddSuspector(Address(1), stepped.Now);
        await stepped.Silo.UpdateRowAsync(seen, "1", Version, CancellationToken.None);

        Assert.Equal(other.Now, (await other.ReadAsync(1)).IAmAliveTime);
        var voted = await other.ReadAsync(2);
        Assert.Equal([Tuple.Create(Address(1), other.Now)], voted.SuspectTimes!);
        Assert.Equal(other.Now, voted.IAmAliveTime);
        Assert.Equal(other.Now, voted.StartTime);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3600)]
    public async Task Old_rows_are_removed_by_the_clock_of_the_cluster(int off)
    {
        var machine = new Machine(_table, off);

        await machine.Silo.CleanupDefunctSiloEntriesAsync(machine.Time.GetUtcNow().AddHours(-1), CancellationToken.None);

        Assert.Equal(Right.AddHours(-1), _table.ForgottenBefore);
    }

    [Fact]
    public async Task Correct_clocks_change_no_row()
    {
        var one = new Machine(_table, 0);
        var row = one.Row(1);
        row.StartTime -= TimeSpan.FromMilliseconds(123456.789);
        row.SuspectTimes = [Tuple.Create(Address(2), one.Now.AddSeconds(-0.4))];

        await one.Silo.InsertRowAsync(row, Version, CancellationToken.None);

        foreach (var seen in new[] { _table.Rows[Address(1)], await one.ReadAsync(1) })
        {
            Assert.Equal((row.StartTime, row.IAmAliveTime), (seen.StartTime, seen.IAmAliveTime));
            Assert.Equal(row.SuspectTimes, seen.SuspectTimes!);
        }
    }

    private static SiloAddress Address(int silo) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1000 + silo), 1);

    /// <summary>A machine with a wrong clock, and the table of its silo.</summary>
    private sealed class Machine
    {
        public Machine(Table table, int off)
        {
            Time = new SteppedTime(Right.AddSeconds(off));
            Steady = new SteadyClock(Time);
            var cluster = new ClusterClock(Steady);
            cluster.Set(Right, cluster.GetTimestamp());
            Silo = new ClusterTimeMembershipTable(table, cluster, Time, Steady);
        }

        public SteppedTime Time { get; }

        public SteadyClock Steady { get; }

        public ClusterTimeMembershipTable Silo { get; }

        public DateTime Now => Time.GetUtcNow().UtcDateTime;

        public MembershipEntry Row(int silo) => new()
        {
            SiloAddress = Address(silo),
            HostName = "host",
            SiloName = "silo",
            ProxyPort = 7,
            Status = SiloStatus.Active,
            StartTime = Now,
            IAmAliveTime = Now,
        };

        public async Task<MembershipEntry> ReadAsync(int silo)
        {
            var all = (await Silo.ReadAllAsync(CancellationToken.None)).TryGet(Address(silo))!;
            var row = Assert.Single((await Silo.ReadRowAsync(Address(silo), CancellationToken.None)).Members);
            Assert.Equal((all.Item1.IAmAliveTime, all.Item1.StartTime, all.Item2), (row.Item1.IAmAliveTime, row.Item1.StartTime, row.Item2));
            return all.Item1;
        }
    }

    /// <summary>A table in memory, which keeps the given values.</summary>
    private sealed class Table() : MembershipTableDecorator(null!)
    {
        public Dictionary<SiloAddress, MembershipEntry> Rows { get; } = [];

        public DateTimeOffset ForgottenBefore { get; private set; }

        public override Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken) =>
            Task.FromResult(new MembershipTableData([.. Rows.Values.Select(row => Tuple.Create(row, "1"))], Version));

        public override Task<MembershipTableData> ReadRowAsync(SiloAddress key, CancellationToken cancellationToken) =>
            Task.FromResult(new MembershipTableData(Tuple.Create(Rows[key], "1"), Version));

        public override Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken) => Keep(entry);

        public override Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken) =>
            Keep(entry);

        public override Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken)
        {
            Assert.Equal(default, entry.StartTime);
            Rows[entry.SiloAddress].IAmAliveTime = entry.IAmAliveTime;
            return Task.CompletedTask;
        }

        public override Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken)
        {
            ForgottenBefore = beforeDate;
            return Task.CompletedTask;
        }

        private Task<bool> Keep(MembershipEntry entry)
        {
            Rows[entry.SiloAddress] = entry;
            return Task.FromResult(true);
        }
    }
}
