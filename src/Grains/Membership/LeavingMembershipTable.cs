using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Membership;

/// <summary>
/// The membership table of a silo, which lets the silo stop while Redis is unreachable. Orleans writes its status into the table when it stops, and
/// retries a failed write beyond the host's shutdown timeout. Here, a stopping silo that has not reached Redis for <see cref="MaxAway"/> reports the
/// write as done: Orleans then notifies the other silos directly, and those that it does not reach detect the stop by probes.
/// </summary>
internal sealed partial class LeavingMembershipTable(
    IMembershipTable table, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<LeavingMembershipTable> logger) : MembershipTableDecorator(table)
{
    /// <summary>How long Redis must have been unreachable before a stopping silo continues without it.</summary>
    private static readonly TimeSpan MaxAway = TimeSpan.FromSeconds(3);

    private MembershipTableData? _last;
    private long? _awaySince;
    private volatile bool _left;

    public override async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        Task<MembershipTableData> Read() => base.ReadAllAsync(cancellationToken);
        return _last = _last is { } last ? await OrWhenLeavingAsync(Read, last) : await Read();
    }

    public override Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken) =>
        OrWhenLeavingAsync(() => base.InsertRowAsync(entry, tableVersion, cancellationToken), true);

    public override Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken) =>
        OrWhenLeavingAsync(() => base.UpdateRowAsync(entry, etag, tableVersion, cancellationToken), true);

    /// <summary>Calls the table, or returns <paramref name="otherwise"/> once the silo stops and has waited long enough for Redis.</summary>
    private async Task<T> OrWhenLeavingAsync<T>(Func<Task<T>> ask, T otherwise)
    {
        if (_left)
        {
            return otherwise;
        }

        try
        {
            var answer = await ask();
            _awaySince = null;
            return answer;
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            _awaySince ??= time.GetTimestamp();
            if (!lifetime.ApplicationStopping.IsCancellationRequested || time.GetElapsedTime(_awaySince.Value) < MaxAway)
            {
                throw;
            }

            if (!_left)
            {
                _left = true;
                LogLeft(e.Message);
            }

            return otherwise;
        }
    }

    [LoggerMessage(
        1,
        LogLevel.Warning,
        "Redis does not answer while the silo stops; its membership row stays, and other silos detect the stop by probes: {Reason}",
        EventName = "LeftWithoutEntry")]
    private partial void LogLeft(string reason);
}
