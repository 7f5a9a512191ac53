using Detection.Contracts.Cluster;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Cluster;

/// <summary>The reports of the cluster's silos, at most a second or two old.</summary>
public sealed partial class ClusterView(SiloBoard board, ClusterClock time, ILogger<ClusterView> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private volatile View _view = new([], ModelDirectory.Empty, DateTimeOffset.MinValue);

    /// <summary>The live silos.</summary>
    public IReadOnlyList<SiloReport> Silos => _view.Silos;

    /// <summary>The models that they serve, and those that are gone.</summary>
    public ModelDirectory Models => _view.Models;

    /// <summary>Whether the reports are up to date. While Redis is unreachable they are not.</summary>
    public bool IsFresh => time.GetUtcNow() - _view.ReadAt < 3 * Interval;

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Interval, time, logger).RunAsync(ReadAsync, LogUnreadable, stoppingToken);

    private async Task ReadAsync(CancellationToken stoppingToken)
    {
        // In this order: see ModelDirectory.
        var records = await board.ReadModelsAsync();
        var now = time.GetUtcNow();
        var silos = SiloReport.Live(await board.ReadReportsAsync(), now);
        _view = new View(silos, ModelDirectory.Of(silos, records, now), now);
    }

    private sealed record View(IReadOnlyList<SiloReport> Silos, ModelDirectory Models, DateTimeOffset ReadAt);

    [LoggerMessage(2, LogLevel.Debug, "The reports of the silos cannot be read: {Reason}", EventName = "ReportsUnreadable")]
    private partial void LogUnreadable(string reason);
}
