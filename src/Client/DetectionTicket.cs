using Detection.Contracts.Answers;

namespace Detection.Client;

/// <summary>Where a submitted request stands.</summary>
public enum DetectionStatus
{
    /// <summary>The cluster knows no such request (any more).</summary>
    Unknown,

    /// <summary>In the queue.</summary>
    Queued,

    /// <summary>A device works on it.</summary>
    Running,

    /// <summary>The answer is there.</summary>
    Done,

    /// <summary>It ended without an answer.</summary>
    Failed,

    /// <summary>Its deadline passed first.</summary>
    Expired,
}

/// <summary>A submitted request at one instant.</summary>
/// <param name="ImageKey">SHA-256 of the encoded picture, lower-case hex.</param>
/// <param name="Status">Where it stands. Done, failed and expired are final.</param>
/// <param name="Position">Place in the queue when it entered, 1 for the head; 0 when not known.</param>
/// <param name="EstimatedWait">Expected time from entering the queue to the answer, where it is known.</param>
/// <param name="Answer">The answer, when done.</param>
/// <param name="Failure">Why there is none, when failed or expired.</param>
/// <param name="Model">
/// The model that it was accepted for, <c>name@version</c>. With it as <see cref="DetectionOptions.Model"/> the request is found after that
/// version was replaced. <see langword="null"/> when nothing may be told of the request.
/// </param>
public sealed record DetectionTicket(
    string ImageKey,
    DetectionStatus Status,
    int Position = 0,
    TimeSpan? EstimatedWait = null,
    DetectionAnswer? Answer = null,
    DetectionException? Failure = null,
    string? Model = null)
{
    /// <summary>Whether the status will not change any more.</summary>
    public bool IsFinal => Status is DetectionStatus.Done or DetectionStatus.Failed or DetectionStatus.Expired;
}
