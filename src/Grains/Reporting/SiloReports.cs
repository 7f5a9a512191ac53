using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Detection.Grains.Devices;
using Detection.Grains.Fetching;
using Detection.Grains.Pulling;
using Detection.Inference.Repository;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Reporting;

/// <summary>Creates this silo's reports.</summary>
internal sealed class SiloReports(
    LocalDevices local, InferenceHost host, ModelRepository repository, ModelPulls pulls, ILocalSiloDetails silo, IOptions<FetchOptions> fetching, ClusterClock time) : ISiloReports
{
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    private volatile SiloReport? _written;

    /// <inheritdoc/>
    public SiloReport? Written
    {
        get => _written;
        set => _written = value;
    }

    /// <inheritdoc/>
    public SiloReport Report()
    {
        // For one model, a fault of its file replaces that of its load.
        var models = host.Problems.Concat(repository.Current.Problems).GroupBy(problem => problem.Key).ToDictionary(same => same.Key, same => same.Last().Value);
        var pulled = pulls.Report();
        var wanted = pulled.Where(pull => pull.State != PullState.Done && !models.ContainsKey(pull.Name))
            .ToDictionary(static pull => pull.Name, static pull => pull.State == PullState.Failed
                ? $"Pulling {pull.Name} failed; it is tried again. An administrator sees the reason at /v1/models/{pull.Name}/pull and in the silo's log."
                : $"{pull.Name} is being pulled.");
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
                .. wanted.Values,
                .. batchers.Where(static batcher => batcher.IsOutOfService)
                    .Select(static batcher => $"Device {batcher.Device} does not serve {batcher.Model}, it is {ToText(batcher.Health)}: {batcher.Ailment}"),
            ],
            models.Concat(wanted).ToDictionary(),
            offer.Retired)
        {
            IsDrained = host.IsDrained,
            FetchTimeout = fetching.Value.Timeout,
            Pulls = pulled.Count > 0 ? pulled : null,
        };
    }

    private static string ToText(DeviceHealth health) => health.ToString().ToLowerInvariant();
}
