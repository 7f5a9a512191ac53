using Detection.Contracts.Sharing;

namespace Detection.Frontend.Http.Access;

/// <summary>
/// What each caller holds of a resource of this process. A caller may hold a share of what the other callers leave, so there is always some for
/// one more caller. Nobody waits here; callers that wait for their turn share <see cref="SharedPlaces"/>.
/// </summary>
/// <param name="capacity">What all callers may hold together.</param>
/// <param name="share">Share of the capacity that others leave, which one caller may hold; 0 to 1.</param>
internal sealed class CallerShares(long capacity, double share)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _byCaller = new(StringComparer.Ordinal);
    private long _used;

    /// <summary>What all callers hold.</summary>
    public long Used => Volatile.Read(ref _used);

    /// <summary>A caller takes an amount, unless a limit prevents it.</summary>
    /// <returns>The limit; <see cref="PlaceLimit.None"/> when the caller holds the amount now.</returns>
    public PlaceLimit Take(string caller, long amount)
    {
        lock (_gate)
        {
            var (own, free) = (_byCaller.GetValueOrDefault(caller), capacity - _used);
            if (amount > free)
            {
                return PlaceLimit.All;
            }

            if (!FairShare.Allows(own, amount, free, share))
            {
                return PlaceLimit.Caller;
            }

            _byCaller[caller] = own + amount;
            _used += amount;
            return PlaceLimit.None;
        }
    }

    /// <summary>A caller gives an amount back.</summary>
    public void Give(string caller, long amount)
    {
        lock (_gate)
        {
            _used -= amount;
            var own = _byCaller.GetValueOrDefault(caller) - amount;
            if (own > 0)
            {
                _byCaller[caller] = own;
            }
            else
            {
                _byCaller.Remove(caller);
            }
        }
    }
}
