namespace Detection.Contracts.Answers;

/// <summary>Where an answer came from.</summary>
public enum AnswerSource
{
    /// <summary>This request started the computation.</summary>
    Computed,

    /// <summary>Another request had started the computation, and this one joined it.</summary>
    Joined,

    /// <summary>It was in the result cache.</summary>
    Cached,
}
