using Detection.Contracts.Scheduling;
using Detection.Grains.Health;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Membership;

/// <summary>
/// Ends a silo that alone is cut off from Redis. Its share of the requests is refused, because the grains of these pictures live there, and
/// other silos could do them all. While no other silo reaches Redis, none ends: what all have lost no restart brings back.
/// </summary>
internal sealed partial class CutOffWatch(
    RedisReach reach, RedisWitnesses witnesses, SiloShutdown end, IOptions<CutOffOptions> options, TimeProvider time, ILogger<CutOffWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Without Redis the silo cannot settle what it holds, and the other silos take it over once it is gone. When two silos stop at the same
    /// time, one waits for the other until its time to stop is over.
    /// </summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(10);

    private bool _told;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Interval, time, logger).RunAsync(LookAsync, LogAway, stoppingToken);

    private async Task LookAsync(CancellationToken stoppingToken)
    {
        var reason = await reach.LookAsync(stoppingToken);
        var away = reach.AwayFor;
        if (away < options.Value.After || !options.Value.EndSilo)
        {
            _told = false;
            return;
        }

        if (await witnesses.FindAsync(options.Value.After) is { } witness)
        {
            end.Request($"Redis has been out of reach for {away.TotalSeconds:F0} s, and silo {witness} reaches it ({reason}).", StopWithin);
        }
        else if (!_told)
        {
            _told = true;
            LogAlike(away.TotalSeconds);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Redis does not answer: {Reason}", EventName = "RedisNotAsked")]
    private partial void LogAway(string reason);

    [LoggerMessage(2, LogLevel.Warning, "Redis has been out of reach for {Seconds:F0} s, and no other silo is known to reach it; this silo waits for Redis.", EventName = "RedisAwayForAll")]
    private partial void LogAlike(double seconds);
}
