using Detection.Contracts.Answers;
using Detection.Objects;

namespace Detection.Client;

/// <summary>Thrown when a request gets no result. The message is one sentence, written for people.</summary>
public sealed class DetectionException(FailureReason reason, string message, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Why there is no result.</summary>
    public FailureReason Reason { get; } = reason;

    /// <summary>How long to wait before a retry; <see langword="null"/> when unknown.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>Key of the picture, where it is known.</summary>
    public string? ImageKey { get; init; }

    /// <summary>The kind of problem that it is over HTTP, with its status.</summary>
    public ProblemType Problem => ProblemType.Of(Reason);
}
