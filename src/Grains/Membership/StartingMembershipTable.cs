using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Membership;

/// <summary>
/// The membership table of a silo, which lets the silo start while Redis does not answer. Orleans creates the table and first reads it without a
/// retry, and the process ends when one of the two fails. Here both are retried until Redis answers or the silo stops.
/// </summary>
internal sealed partial class StartingMembershipTable(
    IMembershipTable table, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<StartingMembershipTable> logger) : MembershipTableDecorator(table)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private volatile bool _wasRead;

    public override async Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken)
    {
        async Task<bool> Initialize()
        {
            await base.InitializeMembershipTableAsync(tryInitTableVersion, cancellationToken);
            return true;
        }

        await RetryAsync(Initialize, cancellationToken);
    }

    public override async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        if (_wasRead)
        {
            return await base.ReadAllAsync(cancellationToken);
        }

        var data = await RetryAsync(() => base.ReadAllAsync(cancellationToken), cancellationToken);
        _wasRead = true;
        return data;
    }

    private async Task<T> RetryAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (Exception e) when (RedisConnection.IsOutage(e) && !stop.IsCancellationRequested)
            {
                LogRetry(RetryDelay, e.Message);
            }

            await Task.Delay(RetryDelay, time, stop.Token);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Joining the cluster failed because Redis does not answer; retrying in {Delay}: {Reason}", EventName = "JoinFailed")]
    private partial void LogRetry(TimeSpan delay, string reason);
}
