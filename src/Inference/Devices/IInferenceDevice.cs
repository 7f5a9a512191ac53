using Detection.Inference.Manifest;
using Detection.Objects;

namespace Detection.Inference.Devices;

/// <summary>A device that runs models: the cores of the CPU, or one GPU.</summary>
public interface IInferenceDevice : IAsyncDisposable
{
    /// <summary>Local name: <c>cpu</c>, <c>cuda:0</c>, …</summary>
    string Name { get; }

    /// <summary>Identifies the device on its machine: a GPU's UUID where known, otherwise <see cref="Name"/>.</summary>
    string HardwareId { get; }

    /// <summary>Description for people: the card's name, or the number of cores.</summary>
    string Description { get; }

    /// <summary>Loads a model onto the device and warms it up.</summary>
    /// <exception cref="ModelException">The model cannot be run; the message says what to change.</exception>
    Task<IModelSession> LoadAsync(ModelSource model, CancellationToken cancellationToken);
}

/// <summary>A loaded model on a device, warmed up. Safe for concurrent calls; disposing waits for running batches.</summary>
public interface IModelSession : IAsyncDisposable
{
    /// <summary>Number of batches to submit concurrently, so that the next is decoded while one runs.</summary>
    int Concurrency { get; }

    /// <summary>
    /// Maximum number of pictures in one batch. More pictures would not be done sooner, and later pictures would wait longer: a submitted picture has
    /// left the queue, where other callers may have their turn before it.
    /// </summary>
    int BatchLimit => int.MaxValue;

    /// <summary>
    /// Whether pictures run one by one, so that each may be submitted as soon as it has arrived. Otherwise it is better to wait for a batch.
    /// </summary>
    bool RunsSingly => false;

    /// <summary>
    /// Completed when a run timed out and did not react to its termination. Then only the end of the process frees the device, and disposing the
    /// session waits for ever.
    /// </summary>
    Task Unending => new TaskCompletionSource().Task;

    /// <summary>
    /// Runs a batch. <paramref name="completed"/> is called exactly once per picture, from any thread and as soon as the picture is done. A picture
    /// that fails does not affect the others. The task completes after the last of these calls.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; the remaining pictures are not completed.</exception>
    Task DetectAsync(IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken);
}

/// <summary>A picture to process.</summary>
/// <param name="Encoded">The encoded picture; stays valid until the picture is completed.</param>
/// <param name="Iou">Overlap for non-max suppression; <see langword="null"/> for the model's own.</param>
/// <param name="Deadline">Time after which the picture is not decoded any more; it is completed with <see cref="OutcomeKind.Expired"/>.</param>
/// <param name="Floor">Lowest score of a box, from 0 to 1; <see langword="null"/> for the model's own score floor.</param>
/// <param name="IsGenuine">
/// Checks whether <paramref name="Encoded"/> is the requested picture, on the thread that decodes it, before decoding. If not, the picture fails with
/// a <see cref="Pictures.WrongPictureException"/>.
/// </param>
/// <param name="Decoded">
/// Called when only the run on the device is left: the picture and those that run together with it are decoded. Until then it waits for a thread or
/// for memory, or is being decoded, which may take long without a fault of the device.
/// </param>
public readonly record struct PictureWork(
    ReadOnlyMemory<byte> Encoded,
    float? Iou,
    DateTimeOffset Deadline,
    float? Floor = null,
    Predicate<ReadOnlyMemory<byte>>? IsGenuine = null,
    Action? Decoded = null);

/// <summary>The kind of a picture's outcome.</summary>
public enum OutcomeKind
{
    /// <summary>Boxes, possibly none.</summary>
    Detected,

    /// <summary>The picture or the model failed; see <see cref="PictureOutcome.Error"/>.</summary>
    Failed,

    /// <summary>Its deadline passed before it was decoded.</summary>
    Expired,
}

/// <summary>Outcome of one picture.</summary>
/// <param name="Kind">How it ended.</param>
/// <param name="Width">Width of the upright original picture, in pixels.</param>
/// <param name="Height">Height of the upright original picture, in pixels.</param>
/// <param name="Boxes">Boxes down to the model's score floor, highest score first.</param>
/// <param name="Error">A <see cref="Pictures.PictureException"/> when the picture is at fault, any other exception when the device or the model is.</param>
/// <param name="Decode">Time to decode.</param>
/// <param name="Preprocess">Time to fill the input tensor.</param>
/// <param name="Inference">Time of the run, which is that of the whole batch when the batch ran as one.</param>
/// <param name="Postprocess">Time from output tensors to boxes.</param>
public sealed record PictureOutcome(
    OutcomeKind Kind,
    int Width,
    int Height,
    DetectedObject[] Boxes,
    Exception? Error,
    TimeSpan Decode,
    TimeSpan Preprocess,
    TimeSpan Inference,
    TimeSpan Postprocess);
