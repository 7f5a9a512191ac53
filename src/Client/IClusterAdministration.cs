using System.Buffers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;

namespace Detection.Client;

/// <summary>
/// Calls for administrators of a cluster. It is registered together with <see cref="IDetectionClient"/>. It checks no rights: the application
/// that offers it must do so.
/// </summary>
public interface IClusterAdministration
{
    /// <summary>
    /// Makes every silo with a device retry a model now: read its files, load it, and use devices on which it failed. The silos would do this
    /// later by themselves. Returns before the end; the reports of the silos show the result.
    /// </summary>
    /// <param name="name">Name of the model, without a version.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The outcomes by the names of the silos.</returns>
    /// <exception cref="DetectionException">The cluster cannot be reached.</exception>
    Task<IReadOnlyDictionary<string, RetryOutcome>> RetryModelAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>
    /// Drains a silo: it completes the pictures on its devices, returns the others to the queue, and runs no model until its process is
    /// restarted. It stays in the cluster and is not ready. Returns before the end; the report of the silo shows the result.
    /// </summary>
    /// <param name="silo">Name of the silo.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns><see langword="false"/> when there is no silo with this name.</returns>
    /// <exception cref="DetectionException">The silo cannot be reached.</exception>
    Task<bool> DrainAsync(string silo, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes every silo with a device pull a model, also those that join later, in place of an earlier request for this name. Returns before they have it;
    /// <see cref="FindPullAsync"/> shows how far it is. Nothing is checked here: silos refuse what they cannot pull.
    /// </summary>
    /// <param name="name">Name of the model.</param>
    /// <param name="source">Where it comes from, for example <c>hf:OWNER/REPO</c>.</param>
    /// <param name="sha256">SHA-256 of the ONNX file; <see langword="null"/> for what the source has when the first silo pulls it.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="DetectionException">Redis cannot be reached.</exception>
    Task PullModelAsync(string name, string source, string? sha256 = null, CancellationToken cancellationToken = default);

    /// <summary>How far the silos are with a model, by their names; also those that pull it because of their settings.</summary>
    /// <param name="name">Name of the model.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The request, if there is one, and the silos that pull or have pulled it.</returns>
    /// <exception cref="DetectionException">Redis cannot be reached.</exception>
    Task<(WantedModel? Wanted, IReadOnlyDictionary<string, PullReport> Silos)> FindPullAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Withdraws the request for a model: silos that do not have it stop pulling it. Files that are there stay and are served.</summary>
    /// <param name="name">Name of the model.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns><see langword="false"/> when there is no request for this name.</returns>
    /// <exception cref="DetectionException">Redis cannot be reached.</exception>
    Task<bool> WithdrawPullAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>The last 100 requests that became dead letters, newest first.</summary>
    /// <exception cref="DetectionException">Redis cannot be reached.</exception>
    Task<IReadOnlyList<DeadLetter>> GetDeadLettersAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the encoded picture of a request that <see cref="GetDeadLettersAsync"/> lists; <see langword="null"/> when it is not listed, or its
    /// picture has expired. The picture may crash a program that decodes it. The caller disposes of it.
    /// </summary>
    /// <exception cref="DetectionException">Redis cannot be reached.</exception>
    Task<IMemoryOwner<byte>?> FindDeadLetterPictureAsync(string imageKey, CancellationToken cancellationToken = default);
}
