using System.Buffers;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Models;

namespace Detection.Client;

/// <summary>
/// Finds objects in pictures, on the cluster. Safe for concurrent use. Every method that fails throws
/// <see cref="DetectionException"/>; it never shows the failures of single machines that a retry mends.
/// </summary>
public interface IDetectionClient
{
    /// <summary>Detects objects in an encoded picture (JPEG, PNG, WebP, GIF, BMP).</summary>
    /// <exception cref="DetectionException">No result; says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. Work that no other request waits for is dropped.</exception>
    Task<DetectionAnswer> DetectAsync(ReadOnlyMemory<byte> picture, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Detects objects in an encoded picture that is read from <paramref name="picture"/> to its end.</summary>
    /// <inheritdoc cref="DetectAsync(ReadOnlyMemory{byte}, DetectionOptions?, CancellationToken)"/>
    Task<DetectionAnswer> DetectAsync(Stream picture, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Detects objects in the picture at a URL, which the cluster fetches.</summary>
    /// <inheritdoc cref="DetectAsync(ReadOnlyMemory{byte}, DetectionOptions?, CancellationToken)"/>
    Task<DetectionAnswer> DetectAsync(Uri url, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Puts an encoded picture in the queue and returns. The work goes on without the caller; <see cref="GetStatusAsync"/> tells
    /// how it ended. The deadline is <see cref="DetectionOptions.MaxDeadline"/> unless the options say otherwise. The same picture
    /// submitted again is the same request. <see cref="DetectionTicket.Model"/> names the version of the model that it was accepted for:
    /// with that it is found after the model was replaced. When the version is removed before the picture's turn comes, the request fails
    /// with <see cref="DetectionError.ModelNotFound"/>.
    /// </summary>
    /// <param name="picture">The encoded picture.</param>
    /// <param name="options">What the request chooses.</param>
    /// <param name="webhook">
    /// http(s) URL that the cluster tells of the end, once for each URL and request: it POSTs the JSON that the HTTP API answers, signed
    /// as Standard Webhooks has it, until it is taken or given up. <see langword="null"/> for none.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DetectionException">It was not accepted; says why.</exception>
    Task<DetectionTicket> SubmitAsync(
        ReadOnlyMemory<byte> picture, DetectionOptions? options = null, Uri? webhook = null, CancellationToken cancellationToken = default);

    /// <summary>As above for the picture at a URL, which is fetched before this returns.</summary>
    /// <inheritdoc cref="SubmitAsync(ReadOnlyMemory{byte}, DetectionOptions?, Uri?, CancellationToken)"/>
    Task<DetectionTicket> SubmitAsync(Uri url, DetectionOptions? options = null, Uri? webhook = null, CancellationToken cancellationToken = default);

    /// <summary>Where a submitted request stands; from any client of the cluster.</summary>
    /// <param name="imageKey">The picture's key.</param>
    /// <param name="wait">How long to wait for the end, or for a change from <paramref name="known"/>; 0 to one minute.</param>
    /// <param name="known">A status that is known already: anything else is worth telling at once.</param>
    /// <param name="options">Model and IoU of the request; threshold, most objects and labels of the answer; the caller who asks.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DetectionException">It could not be found out; says why.</exception>
    Task<DetectionTicket> GetStatusAsync(
        string imageKey, TimeSpan wait = default, DetectionStatus? known = null, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads an answer again; <see langword="null"/> when there is none (any more), or none that <see cref="DetectionOptions.Caller"/>
    /// may read.
    /// </summary>
    Task<DetectionAnswer?> FindAsync(string imageKey, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the encoded picture of an earlier request; <see langword="null"/> when it is not kept (any more). The caller disposes of
    /// it, which gives its memory back to a pool.
    /// </summary>
    /// <param name="imageKey">The picture's key.</param>
    /// <param name="options">The caller who asks and the deadline; the rest is not used.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IMemoryOwner<byte>?> FindPictureAsync(string imageKey, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Connects to the cluster, unless it is connected, and returns when a silo has taken the connection. It need not be called: requests
    /// connect by themselves. It tells at the start of a program, or to a health check, whether silos refuse it.
    /// </summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DetectionException"><see cref="DetectionError.Unavailable"/>: no silo takes a connection, or they make image keys with another secret; says why. Further attempts go on.</exception>
    Task ConnectAsync(CancellationToken cancellationToken = default);

    /// <summary>The models that the cluster serves now.</summary>
    Task<IReadOnlyList<ModelInfo>> GetModelsAsync(CancellationToken cancellationToken = default);

    /// <summary>The silos of the cluster, as they reported themselves during the last seconds.</summary>
    Task<IReadOnlyList<SiloReport>> GetSilosAsync(CancellationToken cancellationToken = default);

    /// <summary>What the silos of the cluster did during the last minutes, and how the queues stand.</summary>
    Task<IReadOnlyList<SiloHistory>> GetHistoriesAsync(CancellationToken cancellationToken = default);
}
