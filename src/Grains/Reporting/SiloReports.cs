using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Detection.Grains.Devices;
using Detection.Grains.Fetching;
using Detection.Inference.Repository;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Reporting;

/// <summary>Creates this silo's reports.</summary>
internal sealed class SiloReports(
    LocalDevices local, InferenceHost host, ModelRepository repository, ILocalSiloDetails silo, IOptions<FetchOptions> fetching, ClusterClock time) : ISiloReports
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
                    .Select(static batcher => $"Device {batcher.Device} does not serve {batcher.Model}, it is {ToText(batcher.Health)}: {batcher.Ailment}"),
            ],
            models,
            offer.Retired)
        {
            IsDrained = host.IsDrained,
            FetchTimeout = fetching.Value.Timeout,
        };
    }

    private static string ToText(DeviceHealth health) => health.ToString().ToLowerInvariant();
}
