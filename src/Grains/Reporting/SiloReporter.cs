using Detection.Contracts.Cluster;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Detection.Grains.Devices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Reporting;

/// <summary>Writes this silo's report and its history into Redis, and removes them when the silo stops.</summary>
internal sealed partial class SiloReporter(
    LocalDevices local,
    SiloReports reports,
    SiloHistories histories,
    SiloBoard board,
    SiloMetrics metrics,
    ClusterClock time,
    ILogger<SiloReporter> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How often the records of models are written again; well below the time after which a version counts as unseen.</summary>
    private static readonly TimeSpan RecordInterval = TimeSpan.FromSeconds(5);

    private string _recorded = "";
    private long _recordedAt;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await board.RemoveAsync(local.Silo);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // The report expires.
            LogNotWritten(e.Message);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Interval, time, logger).RunAsync(ReportAsync, LogNotWritten, stoppingToken);

    private async Task ReportAsync(CancellationToken stoppingToken)
    {
        var report = reports.Report();
        await board.WriteAsync(report);
        reports.Written = report;
        await RecordModelsAsync(report);
        var history = await histories.ReadAsync(report.Models);
        metrics.Show(report, history.Queues);
        await board.WriteAsync(history);
        await board.RemoveStaleAsync(time.GetUtcNow());
    }

    /// <summary>Records each version that is served, for the time after it is gone.</summary>
    private async Task RecordModelsAsync(SiloReport report)
    {
        var served = string.Join(' ', report.Models.Select(static model => model.Id));
        if (served == _recorded && time.GetElapsedTime(_recordedAt) < RecordInterval)
        {
            return;
        }

        foreach (var model in report.Models)
        {
            await board.WriteAsync(new ModelRecord(model, report.Silo, report.StartedAt, report.ReportedAt));
        }

        (_recorded, _recordedAt) = (served, time.GetTimestamp());
    }

    [LoggerMessage(3, LogLevel.Warning, "The silo's report was not written; retrying within a second: {Reason}", EventName = "ReportNotWritten")]
    private partial void LogNotWritten(string reason);
}
