namespace Detection.Contracts.Sharing;

/// <summary>
/// How much of a shared resource one caller may hold: a share, 0 to 1, of the sum of what it holds and what is free. So there is always room for one
/// more caller. With 0.5, one caller holds at most a half, and two hold a third each. The scripts enqueue.lua, register.lua and claim.lua have the
/// same rule.
/// </summary>
public static class FairShare
{
    /// <summary>Whether a caller has used its share of places, and gets no further one. A caller that holds nothing always gets one.</summary>
    /// <param name="held">Places that the caller holds.</param>
    /// <param name="free">Places that are free.</param>
    /// <param name="share">The share.</param>
    public static bool IsUsed(int held, int free, double share) => held > 0 && held * (1 - share) >= share * free;

    /// <summary>Whether a caller still holds no more than its share after it gets more.</summary>
    /// <param name="held">What the caller holds.</param>
    /// <param name="more">What the caller gets.</param>
    /// <param name="free">What is free.</param>
    /// <param name="share">The share.</param>
    public static bool Allows(long held, long more, long free, double share) => held + more <= share * (held + free);
}
