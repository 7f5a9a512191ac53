using Detection.Contracts.Answers;

namespace Detection.Client;

/// <summary>Why a request got no result.</summary>
public enum DetectionError
{
    /// <summary>The bytes are empty or not a picture of a known format.</summary>
    NotAPicture,

    /// <summary>A picture, but of a kind that is not supported.</summary>
    Unsupported,

    /// <summary>More bytes or pixels than allowed.</summary>
    TooLarge,

    /// <summary>The picture is truncated or damaged.</summary>
    Undecodable,

    /// <summary>The URL may not be fetched.</summary>
    UrlNotAllowed,

    /// <summary>The URL could not be fetched.</summary>
    UrlNotReachable,

    /// <summary>No such model is served, or its version was removed or replaced before the picture's turn came.</summary>
    ModelNotFound,

    /// <summary>The queue is full, or the deadline could not be met; retry after <see cref="DetectionException.RetryAfter"/>.</summary>
    Busy,

    /// <summary>The cluster or its Redis cannot be reached, every device that serves the model is broken, or the silos make image keys with another secret.</summary>
    Unavailable,

    /// <summary>The deadline passed before there was a result.</summary>
    DeadlineExceeded,

    /// <summary>The model or its device failed on this picture.</summary>
    Failed,

    /// <summary>
    /// The caller's share of the queue, the fetches, the webhooks or the memory for pictures is used, or its next picture would miss its deadline;
    /// retry after <see cref="DetectionException.RetryAfter"/>.
    /// </summary>
    ShareUsed,

    /// <summary>The URL of the webhook is not allowed, or the cluster sends no webhooks.</summary>
    WebhookRefused,

    /// <summary>The limit of pending webhooks is reached; retry after <see cref="DetectionException.RetryAfter"/>.</summary>
    WebhooksFull,

    /// <summary>The cluster's Redis, or the memory for pictures of a cluster in one process, has no room left; retry after <see cref="DetectionException.RetryAfter"/>.</summary>
    StorageFull,
}

/// <summary>Thrown when a request gets no result. The message is one sentence, written for people.</summary>
public sealed class DetectionException(DetectionError error, string message, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The kind of failure.</summary>
    public DetectionError Error { get; } = error;

    /// <summary>How long to wait before a retry; <see langword="null"/> when unknown.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>Key of the picture, where it is known.</summary>
    public string? ImageKey { get; init; }

    /// <summary>The kind of problem that it is over HTTP, with its status.</summary>
    public ProblemType Problem => Error switch
    {
        DetectionError.NotAPicture => ProblemType.NotAPicture,
        DetectionError.Unsupported => ProblemType.UnsupportedPicture,
        DetectionError.TooLarge => ProblemType.TooLarge,
        DetectionError.Undecodable => ProblemType.Undecodable,
        DetectionError.UrlNotAllowed => ProblemType.UrlNotAllowed,
        DetectionError.UrlNotReachable => ProblemType.UrlNotReachable,
        DetectionError.ModelNotFound => ProblemType.ModelNotFound,
        DetectionError.Busy => ProblemType.QueueFull,
        DetectionError.ShareUsed => ProblemType.ShareUsed,
        DetectionError.WebhookRefused => ProblemType.WebhookRefused,
        DetectionError.WebhooksFull => ProblemType.WebhooksFull,
        DetectionError.StorageFull => ProblemType.StorageFull,
        DetectionError.Unavailable => ProblemType.Unavailable,
        DetectionError.DeadlineExceeded => ProblemType.DeadlineExceeded,
        DetectionError.Failed => ProblemType.InferenceFailed,
        _ => ProblemType.Internal,
    };
}
