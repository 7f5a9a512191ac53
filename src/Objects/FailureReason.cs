namespace Detection.Objects;

/// <summary>
/// Why a request has no result: the same value from the decoder of pictures to the caller. The table <c>ProblemType</c> maps it to HTTP. Silos
/// write the first nine between processes and to Redis, so numbers and names do not change.
/// </summary>
public enum FailureReason
{
    /// <summary>The device or the model failed on this picture.</summary>
    Inference,

    /// <summary>The bytes are empty or not a picture of a known format.</summary>
    NotAPicture,

    /// <summary>The picture is truncated or damaged.</summary>
    Undecodable,

    /// <summary>A picture, but of a kind that is not supported.</summary>
    Unsupported,

    /// <summary>More bytes or pixels than allowed.</summary>
    TooLarge,

    /// <summary>The leases of its batchers expired too often.</summary>
    Poison,

    /// <summary>The picture was no longer in Redis when it was to be processed.</summary>
    PictureLost,

    /// <summary>The URL of the webhook is not allowed, or the cluster sends no webhooks.</summary>
    WebhookRefused,

    /// <summary>The version of the model was removed or replaced: it accepts no requests, or was unloaded before the picture was processed.</summary>
    ModelGone,

    /// <summary>No such model is served.</summary>
    ModelNotFound,

    /// <summary>The URL may not be fetched.</summary>
    UrlNotAllowed,

    /// <summary>The URL could not be fetched.</summary>
    UrlNotReachable,

    /// <summary>The queue is full, or the deadline could not be met. Retry later.</summary>
    Busy,

    /// <summary>
    /// The caller's share of the queue, the fetches, the webhooks or the memory for pictures is used, or its next picture would miss its deadline.
    /// Retry later.
    /// </summary>
    ShareUsed,

    /// <summary>The limit of pending webhooks is reached. Retry later.</summary>
    WebhooksFull,

    /// <summary>The cluster's Redis, or the memory for pictures of a cluster in one process, has no room left. Retry later.</summary>
    StorageFull,

    /// <summary>The cluster or its Redis cannot be reached, every device that serves the model is broken, or the silos make image keys with another secret.</summary>
    Unavailable,

    /// <summary>The deadline passed before there was a result.</summary>
    DeadlineExceeded,

    /// <summary>The client failed with an unexpected error. The log of the application has the details.</summary>
    Internal,
}
