using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Detection.Grains.Cluster;

/// <summary>What the silos of the cluster reported of themselves, at most a second or two old.</summary>
public sealed partial class ClusterView(IConnectionMultiplexer redis, RedisKeys keys, ClusterClock time, ILogger<ClusterView> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private volatile IReadOnlyList<SiloReport> _silos = [];

    /// <summary>The silos that live.</summary>
    public IReadOnlyList<SiloReport> Silos => _silos;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                _silos = SiloReport.Live(await redis.GetDatabase().HashGetAllAsync(keys.Silos), time.GetUtcNow());
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                LogUnreadable(e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Debug, "The reports of the silos cannot be read: {Reason}")]
    private partial void LogUnreadable(string reason);
}
