using Detection.Contracts.Scheduling;
using Detection.Grains.Health;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Membership;

/// <summary>
/// Stops a silo that alone is cut off from Redis. It refuses its share of the requests, because their grains live there, although the other silos
/// could process them. While no other silo reaches Redis, no silo stops: a restart would not help.
/// </summary>
internal sealed partial class CutOffWatch(
    RedisReach reach, RedisWitnesses witnesses, SiloShutdown end, IOptions<CutOffOptions> options, TimeProvider time, ILogger<CutOffWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Without Redis the silo cannot settle its items, and the other silos take them over once it is gone. When two silos stop at the same time, each
    /// may wait for the other until its stop times out.
    /// </summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(10);

    private bool _isLogged;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Interval, time, logger).RunAsync(LookAsync, LogAway, stoppingToken);

    private async Task LookAsync(CancellationToken stoppingToken)
    {
        var reason = await reach.LookAsync(stoppingToken);
        var away = reach.AwayFor;
        if (away < options.Value.After || !options.Value.EndSilo)
        {
            _isLogged = false;
            return;
        }

        if (await witnesses.FindAsync(options.Value.After) is { } witness)
        {
            end.Request($"Redis has been unreachable for {away.TotalSeconds:F0} s, but silo {witness} reaches it ({reason}).", StopWithin);
        }
        else if (!_isLogged)
        {
            _isLogged = true;
            LogAlike(away.TotalSeconds);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Redis does not answer: {Reason}", EventName = "RedisNotAsked")]
    private partial void LogAway(string reason);

    [LoggerMessage(2, LogLevel.Warning, "Redis has been unreachable for {Seconds:F0} s, and no other silo is known to reach it; this silo waits for Redis.", EventName = "RedisAwayForAll")]
    private partial void LogAlike(double seconds);
}
