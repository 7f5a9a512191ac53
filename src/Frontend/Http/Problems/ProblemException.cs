using Detection.Contracts.Answers;

namespace Detection.Frontend.Http.Problems;

/// <summary>A request that is answered with a problem.</summary>
/// <param name="type">The kind.</param>
/// <param name="detail">What is wrong with this request, with which value, and what to do.</param>
/// <param name="inner">The cause, if there is one.</param>
internal sealed class ProblemException(ProblemType type, string detail, Exception? inner = null) : Exception(detail, inner)
{
    public ProblemType Type { get; } = type;

    /// <summary>Key of the picture, where it is known.</summary>
    public string? ImageKey { get; init; }

    /// <summary>When to retry; <see langword="null"/> for the front end's default.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static ProblemException TooLarge(int limit) => new(ProblemType.TooLarge, $"The picture has more than the {limit} bytes allowed.");

    /// <summary>A wait that ended because the server stops.</summary>
    public static ProblemException Stopping(string imageKey, OperationCanceledException inner) =>
        new(ProblemType.Unavailable, "This front end is stopping. Send the request again.", inner) { ImageKey = imageKey };
}
