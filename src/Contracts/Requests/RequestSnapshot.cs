using Detection.Contracts.Results;
using Detection.Objects;

namespace Detection.Contracts.Requests;

/// <summary>Status of a request. <see cref="Done"/>, <see cref="Failed"/> and <see cref="Expired"/> are final.</summary>
public enum RequestStatus
{
    /// <summary>The cluster does not know this picture: store it, then submit.</summary>
    Unknown,

    /// <summary>Refused: the queue is full. Nothing was kept.</summary>
    Busy,

    /// <summary>The queue or the cache cannot be reached. Nothing was kept.</summary>
    Unavailable,

    /// <summary>In the queue.</summary>
    Queued,

    /// <summary>Claimed by a batcher.</summary>
    Running,

    /// <summary>There is a result.</summary>
    Done,

    /// <summary>It ended without a result; <see cref="RequestSnapshot.Failure"/> says why.</summary>
    Failed,

    /// <summary>Its deadline passed before there was a result.</summary>
    Expired,

    /// <summary>Refused: the caller's share of the queue is used. Nothing was kept.</summary>
    ShareUsed,

    /// <summary>Refused: the URL of the webhook is not allowed; <see cref="RequestSnapshot.Failure"/> says why. Nothing was kept.</summary>
    WebhookRefused,

    /// <summary>Refused: the limit of pending webhooks is reached. Nothing was kept.</summary>
    WebhooksFull,

    /// <summary>Refused: the caller's share of the pending webhooks is used. Nothing was kept.</summary>
    WebhookShareUsed,

    /// <summary>Refused: Redis has no memory left. Nothing was kept.</summary>
    StorageFull,

    /// <summary>Refused: every device that serves the model is broken. Nothing was kept.</summary>
    DevicesBroken,

    /// <summary>Refused: the queued work is expected to take longer than its deadline. Nothing was kept.</summary>
    TooLate,

    /// <summary>Refused: the queued work of this caller is expected to take longer than its deadline. Nothing was kept.</summary>
    OwnTooLate,
}

/// <summary>A failure as callers see it.</summary>
/// <param name="Reason">What kind of failure.</param>
/// <param name="Message">One sentence for a person.</param>
[GenerateSerializer, Immutable, Alias("detection.RequestFailure")]
public sealed record RequestFailure(
    [property: Id(0)] FailureReason Reason,
    [property: Id(1)] string Message);

/// <summary>A request at one point in time.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Result">The result, when <see cref="RequestStatus.Done"/>.</param>
/// <param name="Failure">The reason, when <see cref="RequestStatus.Failed"/> or <see cref="RequestStatus.WebhookRefused"/>.</param>
/// <param name="RetryAfter">How long to wait before a retry, when refused for now.</param>
/// <param name="Position">Place in the queue when it entered, 1 for the head; 0 when not known.</param>
/// <param name="EstimatedWait">
/// Expected time from entering the queue to the answer, when the rate of the batchers is known. For a request that is refused as too late, the time
/// until the work before it is done.
/// </param>
/// <param name="Joined">The work was already in progress for another request, or already done.</param>
[GenerateSerializer, Immutable, Alias("detection.RequestSnapshot")]
public sealed record RequestSnapshot(
    [property: Id(0)] RequestStatus Status,
    [property: Id(1)] DetectionResult? Result = null,
    [property: Id(2)] RequestFailure? Failure = null,
    [property: Id(3)] TimeSpan? RetryAfter = null,
    [property: Id(4)] int Position = 0,
    [property: Id(5)] TimeSpan? EstimatedWait = null,
    [property: Id(6)] bool Joined = false)
{
    /// <summary>Whether the status will not change any more.</summary>
    public bool IsFinal => Status is RequestStatus.Done or RequestStatus.Failed or RequestStatus.Expired;
}
