using System.Buffers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;

namespace Detection.Client;

/// <summary>
/// What administrators do with a cluster. Registered together with <see cref="IDetectionClient"/>. It asks nobody for a right: that is a
/// matter of the application that offers it.
/// </summary>
public interface IClusterAdministration
{
    /// <summary>
    /// Lets every silo with a device try now what it would try later with a model: to read its files, to load it, to use a device on which
    /// it failed. Returns before that has ended; the reports of the silos show it.
    /// </summary>
    /// <param name="name">Name of the model, without a version.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What each silo does, by its name.</returns>
    /// <exception cref="DetectionException">The cluster cannot be reached.</exception>
    Task<IReadOnlyDictionary<string, RetryOutcome>> RetryModelAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lets a silo finish what its devices work on, return the rest to the queue, and run no model until its process is started again. It stays
    /// in the cluster and is not ready. Returns before that has ended; its report shows it.
    /// </summary>
    /// <param name="silo">Name of the silo.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns><see langword="false"/> when there is no silo of this name.</returns>
    /// <exception cref="DetectionException">The silo cannot be reached.</exception>
    Task<bool> DrainAsync(string silo, CancellationToken cancellationToken = default);

    /// <summary>The requests that were given up last, newest first, 100 at most.</summary>
    /// <exception cref="DetectionException">Redis cannot be reached.</exception>
    Task<IReadOnlyList<DeadLetter>> GetGivenUpAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the encoded picture of a request that <see cref="GetGivenUpAsync"/> lists; <see langword="null"/> when none is listed or kept
    /// any more. It may do harm to whatever decodes it. The caller disposes of it.
    /// </summary>
    /// <exception cref="DetectionException">Redis cannot be reached.</exception>
    Task<IMemoryOwner<byte>?> FindGivenUpPictureAsync(string imageKey, CancellationToken cancellationToken = default);
}
