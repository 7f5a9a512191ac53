using Detection.Contracts.Storage;
using Microsoft.Extensions.Logging;

namespace Detection.Contracts.Scheduling;

/// <summary>
/// Runs work at once and then at each interval, for background services. A failed round does not end the service or the host: the next round follows.
/// </summary>
/// <param name="interval">Time from one round to the next.</param>
/// <param name="time">The clock of the intervals.</param>
/// <param name="logger">The logger of the service, for errors other than an outage of Redis.</param>
public sealed partial class PeriodicWork(TimeSpan interval, TimeProvider time, ILogger logger)
{
    /// <summary>Runs rounds until <paramref name="stoppingToken"/> is cancelled.</summary>
    /// <param name="round">One round.</param>
    /// <param name="onOutage">Logs, in the words of the service, that an outage of Redis ended a round.</param>
    /// <param name="stoppingToken">The service stops.</param>
    public async Task RunAsync(Func<CancellationToken, Task> round, Action<string> onOutage, CancellationToken stoppingToken)
    {
        ArgumentNullException.ThrowIfNull(round);
        ArgumentNullException.ThrowIfNull(onOutage);
        using var timer = new PeriodicTimer(interval, time);
        do
        {
            try
            {
                await round(stoppingToken);
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                onOutage(e.Message);
            }
#pragma warning disable CA1031 // An unforeseen error of one round must not end the host; the next round tries again.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogRoundFailed(e, interval);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(90, LogLevel.Error, "Periodic work failed; retrying in {Interval}.", EventName = "RoundFailed")]
    private partial void LogRoundFailed(Exception exception, TimeSpan interval);
}
