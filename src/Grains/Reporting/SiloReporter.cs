using Detection.Contracts.Cluster;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Detection.Grains.Batching;
using Detection.Grains.Devices;
using Detection.Grains.Queueing;
using Detection.Inference.Repository;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Reporting;

/// <summary>Writes this silo's report and its history into Redis, and takes them out when the silo stops.</summary>
internal sealed partial class SiloReporter(
    LocalDevices local,
    InferenceHost host,
    ModelRepository repository,
    RequestQueue queue,
    RecentWork recent,
    SiloMetrics metrics,
    IOptions<QueueOptions> queueOptions,
    IOptions<BatcherOptions> batcherOptions,
    ILocalSiloDetails silo,
    SiloBoard board,
    ClusterClock time,
    ILogger<SiloReporter> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    /// <summary>How often the records of models are written anew; well below the time after which a version counts as unseen.</summary>
    private static readonly TimeSpan RecordInterval = TimeSpan.FromSeconds(5);

    private string _recorded = "";
    private long _recordedAt;
    private volatile SiloReport? _written;

    /// <summary>The report that others read; <see langword="null"/> before the first.</summary>
    public SiloReport? Written => _written;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await board.RemoveAsync(local.Silo);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // It goes out of date by itself.
            LogNotWritten(e.Message);
        }
    }

    /// <summary>The report as of now.</summary>
    public SiloReport Report()
    {
        // A file that cannot be read comes before one that was read and cannot be run.
        var models = host.Problems.Concat(repository.Current.Problems).GroupBy(problem => problem.Key).ToDictionary(same => same.Key, same => same.Last().Value);
        var batchers = host.Report();
        var offer = host.Offer;
        return new(
            local.Silo,
            silo.SiloAddress.ToParsableString(),
            _startedAt,
            time.GetUtcNow(),
            [.. local.Devices.Select(device => new DeviceReport(device.Id, device.Kind, device.Device.Description))],
            offer.Models,
            batchers,
            [
                .. local.Problems,
                .. models.Values,
                .. batchers.Where(static batcher => batcher.IsOutOfService)
                    .Select(static batcher => $"Device {batcher.Device} does not serve {batcher.Model}, it is {Word(batcher.Health)}: {batcher.Ailment}"),
            ],
            models,
            offer.Retired);
    }

    private static string Word(DeviceHealth health) => health.ToString().ToLowerInvariant();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Interval, time, logger).RunAsync(ReportAsync, LogNotWritten, stoppingToken);

    private async Task ReportAsync(CancellationToken stoppingToken)
    {
        var report = Report();
        await board.WriteAsync(report);
        _written = report;
        await RecordModelsAsync(report);
        var queues = await LookAtQueuesAsync(report);
        metrics.Show(report, queues);
        await board.WriteAsync(History(queues));
        await board.RemoveStaleAsync(time.GetUtcNow());
    }

    /// <summary>Keeps what is known of each version that is served, for the time after it is gone.</summary>
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

    private async Task<IReadOnlyList<QueueReport>> LookAtQueuesAsync(SiloReport report)
    {
        var queues = new List<QueueReport>(report.Models.Count);
        foreach (var model in report.Models)
        {
            var state = await queue.LookAsync(model.Id);
            queues.Add(new QueueReport(model.Id, state.Length, queueOptions.Value.Capacity, state.Oldest.TotalSeconds, state.GivenUp));
        }

        return queues;
    }

    private SiloHistory History(IReadOnlyList<QueueReport> queues)
    {
        var (intervals, failures) = recent.Read();
        return new SiloHistory(local.Silo, time.GetUtcNow())
        {
            Queues = queues,
            Intervals = intervals,
            Failures = failures,
            MaxBatch = batcherOptions.Value.MaxBatch,
        };
    }

    [LoggerMessage(3, LogLevel.Warning, "The silo's report cannot be written: {Reason}", EventName = "ReportNotWritten")]
    private partial void LogNotWritten(string reason);
}
