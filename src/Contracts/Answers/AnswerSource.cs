namespace Detection.Contracts.Answers;

/// <summary>Where an answer came from.</summary>
public enum AnswerSource
{
    /// <summary>This request had it computed.</summary>
    Computed,

    /// <summary>Another request had it computed at the same time.</summary>
    Joined,

    /// <summary>It was in the result cache.</summary>
    Cached,
}
