using System.Buffers;
using Detection.Contracts.Answers;
using Detection.Contracts.Models;
using Detection.Objects;

namespace Detection.Client;

/// <summary>
/// Detects objects in pictures on a cluster. Safe for concurrent use. A method that fails throws <see cref="DetectionException"/>. Failures of single
/// machines are retried, and reported only when the retries fail as well. Other exceptions are <see cref="ArgumentException"/> for arguments that are
/// not valid, <see cref="OperationCanceledException"/> when the caller's token is cancelled, also before the call,
/// <see cref="ObjectDisposedException"/> after the container was disposed of, and those of a stream that is read.
/// </summary>
public interface IDetectionClient
{
    /// <summary>Detects objects in an encoded picture (JPEG, PNG, WebP, GIF, BMP).</summary>
    /// <exception cref="DetectionException">There is no result; the exception says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. Work that no other request waits for is dropped.</exception>
    Task<DetectionAnswer> DetectAsync(ReadOnlyMemory<byte> picture, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Detects objects in an encoded picture that is read from <paramref name="picture"/> to its end.</summary>
    /// <inheritdoc cref="DetectAsync(ReadOnlyMemory{byte}, DetectionOptions?, CancellationToken)"/>
    Task<DetectionAnswer> DetectAsync(Stream picture, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Detects objects in the picture at a URL, which the cluster fetches.</summary>
    /// <inheritdoc cref="DetectAsync(ReadOnlyMemory{byte}, DetectionOptions?, CancellationToken)"/>
    Task<DetectionAnswer> DetectAsync(Uri url, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Puts an encoded picture in the queue and returns. The work continues without the caller; <see cref="GetStatusAsync"/> returns its outcome. The
    /// deadline is <see cref="DetectionOptions.MaxDeadline"/> unless the options set another. The same picture submitted again is the same request.
    /// <see cref="DetectionTicket.Model"/> names the model version that the request was accepted for: use it to find the request after the model was
    /// replaced. When the version is removed before the picture is processed, the request fails with <see cref="FailureReason.ModelGone"/>.
    /// </summary>
    /// <param name="picture">The encoded picture.</param>
    /// <param name="options">What the request chooses.</param>
    /// <param name="webhook">
    /// http(s) URL that the cluster notifies when the request has ended, once for each URL and request. It sends a POST with the JSON of the HTTP
    /// API, signed according to Standard Webhooks, and retries until the delivery succeeds or is abandoned. <see langword="null"/> for none.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="DetectionException">The request was not accepted; the exception says why.</exception>
    Task<DetectionTicket> SubmitAsync(
        ReadOnlyMemory<byte> picture, DetectionOptions? options = null, Uri? webhook = null, CancellationToken cancellationToken = default);

    /// <summary>As above, for the picture at a URL. It is fetched before the method returns.</summary>
    /// <inheritdoc cref="SubmitAsync(ReadOnlyMemory{byte}, DetectionOptions?, Uri?, CancellationToken)"/>
    Task<DetectionTicket> SubmitAsync(Uri url, DetectionOptions? options = null, Uri? webhook = null, CancellationToken cancellationToken = default);

    /// <summary>Returns the status of a submitted request. Any client of the cluster can ask for it.</summary>
    /// <param name="imageKey">The picture's key.</param>
    /// <param name="wait">How long to wait for the end, or for a change from <paramref name="known"/>; 0 to one minute.</param>
    /// <param name="known">A status that the caller knows already: any other one is returned at once.</param>
    /// <param name="options">Model and IoU of the request; threshold, maximum number of objects and labels of the answer; the caller.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="DetectionException">The status could not be read; the exception says why.</exception>
    Task<DetectionTicket> GetStatusAsync(
        string imageKey, TimeSpan wait = default, DetectionStatus? known = null, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads an earlier answer; <see langword="null"/> when there is none, it has expired, or <see cref="DetectionOptions.Caller"/> may not read it.
    /// </summary>
    Task<DetectionAnswer?> FindAsync(string imageKey, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the encoded picture of an earlier request; <see langword="null"/> when it is not stored, or has expired. Dispose the result: that
    /// returns its memory to a pool.
    /// </summary>
    /// <param name="imageKey">The picture's key.</param>
    /// <param name="options">The caller and the deadline; other options are not used.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    Task<IMemoryOwner<byte>?> FindPictureAsync(string imageKey, DetectionOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Connects to the cluster if not connected, and returns when a silo has accepted the connection. The call is optional: requests connect when
    /// they need to. Use it at the start of a program, or in a health check, to find out whether silos refuse the connection.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="DetectionException">
    /// <see cref="FailureReason.Unavailable"/>: no silo accepts a connection, or the silos make image keys with another secret; the exception says
    /// why. Attempts continue in the background.
    /// </exception>
    Task ConnectAsync(CancellationToken cancellationToken = default);

    /// <summary>The models that the cluster serves now.</summary>
    Task<IReadOnlyList<ModelInfo>> GetModelsAsync(CancellationToken cancellationToken = default);
}
