using Detection.Grains.Membership;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans;
using Orleans.Runtime;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Membership;

public sealed class StartingMembershipTableTests
{
    private readonly FailingTable _table = new();
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly StartingMembershipTable _silo;

    public StartingMembershipTableTests() =>
        _silo = new StartingMembershipTable(_table, _lifetime, new HurriedTime(), NullLogger<StartingMembershipTable>.Instance);

    [Fact]
    public async Task Start_waits_until_redis_answers_and_later_reads_are_not_repeated()
    {
        _table.Failures = 3;
        await _silo.InitializeMembershipTableAsync(true, CancellationToken.None);
        Assert.Equal(4, _table.Calls);

        _table.Failures = 2;
        await _silo.ReadAllAsync(CancellationToken.None);
        Assert.Equal(7, _table.Calls);

        // Orleans retries these itself, and needs the exception.
        _table.Failures = 1;
        await Assert.ThrowsAsync<RedisException>(() => _silo.ReadAllAsync(CancellationToken.None));
        Assert.Equal(FailingTable.Data, await _silo.ReadAllAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Start_that_waits_ends_when_the_process_stops()
    {
        _table.Failures = int.MaxValue;
        var start = _silo.InitializeMembershipTableAsync(true, CancellationToken.None);
        Assert.False(start.IsCompleted);
        _lifetime.StopApplication();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start);
    }

    [Fact]
    public async Task Start_fails_at_once_on_errors_other_than_an_outage()
    {
        _table.Error = new InvalidOperationException("no outage");
        _table.Failures = 1;
        await Assert.ThrowsAsync<InvalidOperationException>(() => _silo.InitializeMembershipTableAsync(true, CancellationToken.None));
        await _silo.InitializeMembershipTableAsync(true, CancellationToken.None);
    }

    /// <summary>Every wait ends at once.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime < TimeSpan.Zero ? dueTime : TimeSpan.Zero, period);
    }

    /// <summary>A table that fails this many times before it answers.</summary>
    private sealed class FailingTable() : MembershipTableDecorator(null!)
    {
        public static MembershipTableData Data { get; } = new([], new TableVersion(1, "1"));

        public int Failures { get; set; }

        public int Calls { get; private set; }

        public Exception Error { get; set; } = new RedisException("no answer");

        public override Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken) => AnswerAsync();

        public override Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken) => AnswerAsync();

        private Task<MembershipTableData> AnswerAsync()
        {
            Calls++;
            return Failures-- > 0 ? Task.FromException<MembershipTableData>(Error) : Task.FromResult(Data);
        }
    }
}
