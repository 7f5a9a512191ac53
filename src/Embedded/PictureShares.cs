using Detection.Contracts.Sharing;

namespace Detection.Embedded;

/// <summary>
/// The blocks of the picture memory that each caller holds: its pictures that are being sent, and those that a request needs. Not safe for concurrent use.
/// </summary>
/// <param name="capacity">Blocks of the memory.</param>
/// <param name="share">
/// A caller gets no further room when it holds this share of the sum of its blocks and the free ones. With 0.5, one caller holds at most half of the
/// memory, two hold a third each, and one more caller always finds room. 1: no limit. A caller that holds nothing is not limited, so that a picture
/// larger than the share of a small memory can be stored.
/// </param>
internal sealed class PictureShares(int capacity, double share)
{
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal);

    /// <summary>Whether a caller may take so many blocks, or which limit prevents it.</summary>
    /// <param name="caller">Its name; empty for callers without a name, which have no share.</param>
    /// <param name="count">Blocks that it wants.</param>
    /// <param name="free">Blocks that are free, or hold pictures that no request needs any more.</param>
    public PictureRoom RoomFor(string caller, int count, int free)
    {
        var own = caller.Length == 0 ? 0 : _held.GetValueOrDefault(caller);
        if (own == 0 || FairShare.Allows(own, count, free, share))
        {
            return count <= free ? PictureRoom.Free : PictureRoom.Full;
        }

        // Where other callers leave too little, the caller's share is the reason only if it would be refused without them.
        return count <= free || own + count > share * capacity ? PictureRoom.ShareUsed : PictureRoom.Full;
    }

    /// <summary>Changes the number of blocks that a caller holds.</summary>
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
