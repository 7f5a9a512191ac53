using Detection.Contracts.Cluster;

namespace Detection.Client;

/// <summary>Reports of the silos of a cluster, for its operators. Registered together with <see cref="IDetectionClient"/>.</summary>
public interface IClusterReports
{
    /// <summary>The silos of the cluster that reported during the last seconds.</summary>
    /// <exception cref="DetectionException">Redis does not answer.</exception>
    Task<IReadOnlyList<SiloReport>> GetSilosAsync(CancellationToken cancellationToken = default);

    /// <summary>What the silos of the cluster did during the last minutes, and the state of the queues.</summary>
    /// <exception cref="DetectionException">Redis does not answer.</exception>
    Task<IReadOnlyList<SiloHistory>> GetHistoriesAsync(CancellationToken cancellationToken = default);
}
