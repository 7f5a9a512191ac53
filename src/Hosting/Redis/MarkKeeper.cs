using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Hosting.Redis;

/// <summary>
/// Keeps a silo out of a cluster whose silos have another value of a setting that must be the same on all. Compares the mark of the running silos
/// before Orleans starts, and keeps the mark in Redis while a silo runs.
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

    /// <summary>Waits at most until the mark of a stopped cluster has expired.</summary>
    /// <exception cref="OptionsValidationException">The running silos have another value of the setting.</exception>
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

    /// <returns>Whether the mark is this silo's, or cannot be read: without Redis no silo can join.</returns>
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
            // Also when Redis has no memory left: the silo continues, and writes the mark when there is room.
            LogNotKept(e.Message);
            return true;
        }
    }

    [LoggerMessage(30, LogLevel.Warning, "Silos of the cluster {Cluster} have, or had, another {Setting}; waiting up to {Seconds} s for them to stop.")]
    private partial void LogWaiting(string cluster, string setting, double seconds);

    [LoggerMessage(31, LogLevel.Warning, "A silo of the cluster {Cluster} has another {Setting}; {Conflict}.")]
    private partial void LogOthers(string cluster, string setting, string conflict);

    [LoggerMessage(32, LogLevel.Debug, "The settings that all silos share were not refreshed in Redis; retrying: {Reason}")]
    private partial void LogNotKept(string reason);
}
