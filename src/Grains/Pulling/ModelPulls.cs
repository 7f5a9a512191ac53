using Detection.Contracts.Cluster;
using Detection.Contracts.Scheduling;
using Detection.Grains.Devices;
using Detection.Inference.Pulling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Pulling;

/// <summary>
/// Pulls the models of the settings and those that administrators want in the cluster, until this silo has them. A silo without devices needs none. The
/// settings come first: they are the word of whoever runs this silo.
/// </summary>
internal sealed partial class ModelPulls(
    LocalDevices local,
    ModelPuller puller,
    WantedBoard board,
    IOptions<ModelSourceOptions> sources,
    IOptions<PullOptions> options,
    TimeProvider time,
    ILogger<ModelPulls> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeepInterval = TimeSpan.FromHours(1);

    private readonly Lock _guard = new();
    private readonly Dictionary<string, ModelPull> _pulls = new(StringComparer.Ordinal);
    private long _keptAt = long.MinValue;

    /// <summary>The pulls of this silo.</summary>
    public IReadOnlyList<PullReport> Report()
    {
        lock (_guard)
        {
            return [.. _pulls.Values.Select(static pull => pull.Report()).OrderBy(static report => report.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>What a record or a setting asks for.</summary>
    /// <exception cref="PullException">It is not a source.</exception>
    internal static PullOrder OrderOf(string name, string source, string? sha256, string? token, string? revision) =>
        new(name, PullSource.Parse(source), string.IsNullOrEmpty(sha256) ? null : sha256, string.IsNullOrEmpty(token) ? null : token, revision);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (local.Devices.Count == 0)
        {
            return;
        }

        // Before the first look into Redis, which may be away.
        foreach (var (name, source) in sources.Value.Sources)
        {
            Want(OrderOf(name, source.Source, source.Sha256, source.Token, null), wanted: null, stoppingToken);
        }

        try
        {
            await new PeriodicWork(Interval, time, logger).RunAsync(RoundAsync, LogUnreadable, stoppingToken);
        }
        finally
        {
            ModelPull[] pulls;
            lock (_guard)
            {
                pulls = [.. _pulls.Values];
            }

            await Task.WhenAll(pulls.Select(static pull => pull.StopAsync()));
        }
    }

    private async Task RoundAsync(CancellationToken stoppingToken)
    {
        var records = (await board.ReadAsync()).Where(record => !sources.Value.Sources.ContainsKey(record.Name)).ToList();
        foreach (var record in records)
        {
            try
            {
                Want(OrderOf(record.Name, record.Source, record.Pin?.Sha256 ?? record.Sha256, null, record.Pin?.Revision), record, stoppingToken);
            }
            catch (PullException e)
            {
                // Of a front end that is newer than this silo.
                LogUnreadable(e.Message);
            }
        }

        List<ModelPull> unwanted;
        lock (_guard)
        {
            unwanted = [.. _pulls.Values.Where(pull => !sources.Value.Sources.ContainsKey(pull.Name) && records.All(record => record.Name != pull.Name))];
            unwanted.ForEach(pull => _pulls.Remove(pull.Name));
        }

        await Task.WhenAll(unwanted.Select(static pull => pull.StopAsync()));
        if (records.Count > 0 && (_keptAt == long.MinValue || time.GetElapsedTime(_keptAt) > KeepInterval))
        {
            await board.KeepAsync();
            _keptAt = time.GetTimestamp();
        }
    }

    /// <summary>Begins a pull unless the same is known.</summary>
    private void Want(PullOrder order, WantedModel? wanted, CancellationToken stoppingToken)
    {
        order = order with { Token = order.Token ?? options.Value.TokenFor(order.Source) };
        lock (_guard)
        {
            var before = _pulls.GetValueOrDefault(order.Name);
            if (before?.IsFor(order, wanted) is not true)
            {
                _pulls[order.Name] = new ModelPull(order, wanted, puller, board, options.Value, time, logger, before, stoppingToken);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "The models that are wanted in the cluster cannot be read: {Reason}", EventName = "WantedUnreadable")]
    private partial void LogUnreadable(string reason);
}
