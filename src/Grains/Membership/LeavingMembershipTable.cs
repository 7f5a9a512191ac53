using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Membership;

/// <summary>
/// The membership table of a silo, which lets the silo stop while Redis is away. Orleans writes its status into the table when it stops, and
/// repeats a write that fails until the host's shutdown time is over and beyond. Here a stopping silo that has not reached Redis for
/// <see cref="Patience"/> takes the write for done: Orleans then tells the other silos itself, and those that it does not reach find out by probing.
/// </summary>
internal sealed partial class LeavingMembershipTable(
    IMembershipTable table, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<LeavingMembershipTable> logger) : MembershipTableDecorator(table)
{
    /// <summary>How long Redis must have been away before a stopping silo does without it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private MembershipTableData? _last;
    private long? _awaySince;
    private volatile bool _left;

    public override async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        Task<MembershipTableData> Read() => base.ReadAllAsync(cancellationToken);
        return _last = _last is { } last ? await UnlessLeavingAsync(Read, last) : await Read();
    }

    public override Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken) =>
        UnlessLeavingAsync(() => base.InsertRowAsync(entry, tableVersion, cancellationToken), true);

    public override Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken) =>
        UnlessLeavingAsync(() => base.UpdateRowAsync(entry, etag, tableVersion, cancellationToken), true);

    /// <summary>Asks the table, or gives <paramref name="otherwise"/> once the silo stops and has waited long enough for Redis.</summary>
    private async Task<T> UnlessLeavingAsync<T>(Func<Task<T>> ask, T otherwise)
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
            if (!lifetime.ApplicationStopping.IsCancellationRequested || time.GetElapsedTime(_awaySince.Value) < Patience)
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
