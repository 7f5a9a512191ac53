using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Hosting.Redis;

/// <summary>
/// Keeps a silo out of a cluster whose silos have another value of a setting that must be the same everywhere. Before Orleans starts, the mark of
/// the running silos is compared; it is kept in Redis while a silo runs.
/// </summary>
internal sealed partial class MarkKeeper(
    CommonSetting setting, RedisKeys keys, IConnectionMultiplexer redis, TimeProvider time, ILogger<MarkKeeper> logger) : BackgroundService
{
    // KEYS 1 mark  ARGV 1 own mark, 2 expiry in ms, then the marks that are accepted
    private const string KeepScript = """
        local mark = redis.call('GET', KEYS[1])
        if mark == ARGV[1] then
            -- Needs no memory, which may be used up.
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
            return 1
        end
        local accepted = not mark
        for i = 3, #ARGV do
            accepted = accepted or ARGV[i] == mark
        end
        if not accepted then
            return 0
        end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return 1
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits until a cluster that was stopped is forgotten, no longer.</summary>
    /// <exception cref="OptionsValidationException">The silos that run have another value of the setting.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var waits = false; !await TryKeepAsync(); waits = true)
        {
            if (time.GetElapsedTime(started) > Expiry + Pause)
            {
                throw new OptionsValidationException(setting.Name, setting.Options, [Fault]);
            }

            if (!waits)
            {
                LogWaiting(keys.ClusterId, setting.Subject, Expiry.TotalSeconds);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Interval, time, logger).RunAsync(KeepAsync, LogNotKept, stoppingToken);

    private async Task KeepAsync(CancellationToken stoppingToken)
    {
        if (!await TryKeepAsync())
        {
            LogOthers(keys.ClusterId, setting.Subject, setting.Conflict);
        }
    }

    private string Fault =>
        $"The silos of the cluster '{keys.ClusterId}' in this Redis have another {setting.Subject} than this one, or have one and this one has none. "
        + $"Give all the same {setting.Name}, or this one another Detection:ClusterId.";

    /// <returns>Whether the mark is this silo's, or cannot be read: then it neither joins nor is joined.</returns>
    private async Task<bool> TryKeepAsync()
    {
        var mark = setting.Mark();
        try
        {
            return (bool)await redis.GetDatabase().ScriptEvaluateAsync(
                KeepScript, [setting.Key], [mark.Own, (long)Expiry.TotalMilliseconds, .. mark.Accepted.Select(static accepted => (RedisValue)accepted)]);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // Also a Redis without memory: the silo goes on, and the mark is kept again when there is room.
            LogNotKept(e.Message);
            return true;
        }
    }

    [LoggerMessage(30, LogLevel.Warning, "Silos of the cluster {Cluster} have, or had, another {Setting}; waiting up to {Seconds} s until they have stopped.")]
    private partial void LogWaiting(string cluster, string setting, double seconds);

    [LoggerMessage(31, LogLevel.Warning, "A silo of the cluster {Cluster} has another {Setting}; {Conflict}.")]
    private partial void LogOthers(string cluster, string setting, string conflict);

    [LoggerMessage(32, LogLevel.Debug, "The settings that all silos share were not refreshed in Redis; retrying: {Reason}")]
    private partial void LogNotKept(string reason);
}
