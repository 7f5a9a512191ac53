using Detection.Contracts.Sharing;

namespace Detection.Embedded;

/// <summary>
/// What each caller holds of the picture memory, in blocks: its pictures on their way in, and those that a request needs. Not for several
/// threads at once.
/// </summary>
/// <param name="capacity">Blocks of the memory.</param>
/// <param name="share">
/// A caller gets no further room when it holds this share of what it holds and what is free: one holds 0.5 of the memory at most, two a
/// third each, and one more caller always finds room. 1: no limit. A caller that holds nothing is not limited by its share, so that a picture
/// that is larger than the share of a small memory has its turn.
/// </param>
internal sealed class PictureShares(int capacity, double share)
{
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal);

    /// <summary>Whether a caller may take so many blocks, or what keeps it from that.</summary>
    /// <param name="caller">Its name; empty for callers without a name, who have no share.</param>
    /// <param name="count">Blocks that it wants.</param>
    /// <param name="free">Blocks that are free, or hold pictures that no request needs any more.</param>
    public PictureRoom Look(string caller, int count, int free)
    {
        var own = caller.Length == 0 ? 0 : _held.GetValueOrDefault(caller);
        if (own == 0 || FairShare.Allows(own, count, free, share))
        {
            return count <= free ? PictureRoom.Free : PictureRoom.Full;
        }

        // Where others leave too little, it is the caller's own doing only if it were refused without them.
        return count <= free || own + count > share * capacity ? PictureRoom.ShareUsed : PictureRoom.Full;
    }

    /// <summary>A caller holds so many blocks more, or fewer.</summary>
    public void Add(string caller, int count)
    {
        if (caller.Length == 0)
        {
            return;
        }

        var held = _held.GetValueOrDefault(caller) + count;
        if (held == 0)
        {
            _held.Remove(caller);
        }
        else
        {
            _held[caller] = held;
        }
    }
}
