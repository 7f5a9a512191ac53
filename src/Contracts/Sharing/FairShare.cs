namespace Detection.Contracts.Sharing;

/// <summary>
/// How much one caller may hold of what all share: a share, 0 to 1, of what it holds and what is free, so that there is room for one more
/// caller always. With 0.5 one caller holds a half at most, two hold a third each. The scripts enqueue.lua, register.lua and claim.lua have the
/// same rule.
/// </summary>
public static class FairShare
{
    /// <summary>Whether a caller has used its share of whole places: it gets no further one. One that holds nothing has not.</summary>
    /// <param name="held">Places that it holds.</param>
    /// <param name="free">Places that are free.</param>
    /// <param name="share">The share.</param>
    public static bool IsUsed(int held, int free, double share) => held > 0 && held * (1 - share) >= share * free;

    /// <summary>Whether a caller holds no more than its share once it has got more.</summary>
    /// <param name="held">What it holds.</param>
    /// <param name="more">What it is to get.</param>
    /// <param name="free">What is free.</param>
    /// <param name="share">The share.</param>
    public static bool Allows(long held, long more, long free, double share) => held + more <= share * (held + free);
}
