using Detection.Contracts.Answers;

namespace Detection.Client;

/// <summary>The status of a submitted request.</summary>
public enum DetectionStatus
{
    /// <summary>The cluster does not know the request, or its record has expired.</summary>
    Unknown,

    /// <summary>In the queue.</summary>
    Queued,

    /// <summary>A device processes it.</summary>
    Running,

    /// <summary>The answer is there.</summary>
    Done,

    /// <summary>It ended without an answer.</summary>
    Failed,

    /// <summary>Its deadline passed before there was a result.</summary>
    Expired,
}

/// <summary>A submitted request at one point in time.</summary>
/// <param name="ImageKey">SHA-256 of the encoded picture, lower-case hex.</param>
/// <param name="Status">Its status. Done, failed and expired are final.</param>
/// <param name="Position">Place in the queue when it entered, 1 for the head; 0 when not known.</param>
/// <param name="EstimatedWait">Expected time from entering the queue to the answer, where it is known.</param>
/// <param name="Answer">The answer, when done.</param>
/// <param name="Failure">Why there is no answer, when failed or expired.</param>
/// <param name="Model">
/// The model version that the request was accepted for, <c>name@version</c>. Use it as <see cref="DetectionOptions.Model"/> to find the request after
/// that version was replaced. <see langword="null"/> when the caller may not read the request.
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
    /// <summary>Whether the status is final.</summary>
    public bool IsFinal => Status is DetectionStatus.Done or DetectionStatus.Failed or DetectionStatus.Expired;
}
