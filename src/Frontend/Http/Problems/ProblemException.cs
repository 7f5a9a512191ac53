using Detection.Contracts.Answers;

namespace Detection.Frontend.Http.Problems;

/// <summary>A request that is answered with a problem.</summary>
/// <param name="type">The kind.</param>
/// <param name="detail">One sentence for a person about this occurrence.</param>
/// <param name="inner">What led to it, if anything.</param>
internal sealed class ProblemException(ProblemType type, string detail, Exception? inner = null) : Exception(detail, inner)
{
    public ProblemType Type { get; } = type;

    /// <summary>Key of the picture, where it is known.</summary>
    public string? ImageKey { get; init; }

    /// <summary>When to retry, where another time than the usual one is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A picture with more bytes than are taken.</summary>
    public static ProblemException TooLarge(int limit) => new(ProblemType.TooLarge, $"The picture has more than the {limit} bytes allowed.");

    /// <summary>A wait that the stop of the server ended.</summary>
    public static ProblemException Stopping(string imageKey, OperationCanceledException inner) =>
        new(ProblemType.Unavailable, "This front end is stopping. Retry.", inner) { ImageKey = imageKey };
}
