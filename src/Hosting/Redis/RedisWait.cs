using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Hosting.Redis;

/// <summary>Delays the start of a silo until its Redis answers: Orleans fails when it cannot read the cluster's membership at once.</summary>
internal sealed partial class RedisWait(IConnectionMultiplexer redis, ClusterClock time, ILogger<RedisWait> logger) : IHostedService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Reminder = TimeSpan.FromSeconds(10);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        long? lastLog = null;
        while (true)
        {
            try
            {
                // The time of Redis is that of the cluster, and dates what this silo writes from now on.
                var asked = time.GetTimestamp();
                time.Set(await redis.GetDatabase().ReadTimeAsync().WaitAsync(cancellationToken), asked);
                return;
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                if (lastLog is null || time.GetElapsedTime(lastLog.Value) > Reminder)
                {
                    LogWaiting(string.Join(", ", redis.GetEndPoints(configuredOnly: true).Select(endpoint => endpoint.ToString())), e.GetBaseException().Message);
                    lastLog = time.GetTimestamp();
                }
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1, LogLevel.Warning, "Waiting for Redis at {Servers}: {Reason}")]
    private partial void LogWaiting(string servers, string reason);
}
