namespace Detection.Contracts.Sharing;

/// <summary>The limit that makes a caller wait for a place.</summary>
public enum PlaceLimit
{
    /// <summary>None: a place is free.</summary>
    None,

    /// <summary>All places are taken.</summary>
    All,

    /// <summary>The caller holds its share.</summary>
    Caller,

    /// <summary>The site holds its share.</summary>
    Site,
}

/// <summary>
/// A number of places that callers and sites share, so that neither one caller nor one slow site can hold all of them. Callers wait for a free place
/// in the order of their arrival, but callers with fewer places go before those with more.
/// </summary>
/// <param name="capacity">Number of places.</param>
/// <param name="callerShare">
/// A named caller gets no further place when it holds this share of the sum of its places and the free ones. With 0.5, one caller holds at most half
/// of the places, two hold a third each, and one more caller always finds a place. 1: no limit. Callers without a name have no limit. The same
/// applies to the places of one site, so that no caller holds all of a site's places.
/// </param>
/// <param name="siteShare">The same for sites.</param>
public sealed class SharedPlaces(int capacity, double callerShare, double siteShare)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _callers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _sites = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Caller, string Site), int> _callersOfSites = [];
    private readonly LinkedList<Waiter> _waiting = [];
    private int _held;

    /// <summary>Number of places that are held.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>Number of callers that wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Callers that hold places, with the number of their places; "" for a caller without a name.</summary>
    public IReadOnlyDictionary<string, int> HeldByCaller()
    {
        lock (_lock)
        {
            return new Dictionary<string, int>(_callers, StringComparer.Ordinal);
        }
    }

    /// <summary>Takes a place, and waits for it.</summary>
    /// <param name="caller">The caller whose share is used; <see langword="null"/> for a caller without a name.</param>
    /// <param name="site">The site whose share is used; <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The place. Dispose it to free the place.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public async ValueTask<IDisposable> EnterAsync(string? caller, string? site, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LinkedListNode<Waiter> node;
        lock (_lock)
        {
            if (LimitOf(caller, site) == PlaceLimit.None)
            {
                return Take(caller, site);
            }

            node = _waiting.AddLast(new Waiter(caller, site));
        }

        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((Waiter)state!).Turn.TrySetCanceled(token), node.Value);
        try
        {
            return await node.Value.Turn.Task;
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
            {
                if (node.List is not null)
                {
                    _waiting.Remove(node);
                }
            }

            throw;
        }
    }

    /// <summary>Takes a place if one is free for the caller and the site now.</summary>
    /// <returns>The place; <see langword="null"/> when a limit is reached.</returns>
    public IDisposable? TryEnter(string? caller, string? site)
    {
        lock (_lock)
        {
            return LimitOf(caller, site) == PlaceLimit.None ? Take(caller, site) : null;
        }
    }

    /// <summary>The limit that would make a caller wait now.</summary>
    public PlaceLimit Limit(string? caller, string? site)
    {
        lock (_lock)
        {
            return LimitOf(caller, site);
        }
    }

    private PlaceLimit LimitOf(string? caller, string? site)
    {
        var free = capacity - _held;
        return free <= 0 ? PlaceLimit.All
            : caller is not null && FairShare.IsUsed(_callers.GetValueOrDefault(caller), free, callerShare) ? PlaceLimit.Caller
            : site is null ? PlaceLimit.None
            : FairShare.IsUsed(_sites.GetValueOrDefault(site), free, siteShare) ? PlaceLimit.Site
            : caller is not null && FairShare.IsUsed(_callersOfSites.GetValueOrDefault((caller, site)), FreeOf(site, free), callerShare) ? PlaceLimit.Caller
            : PlaceLimit.None;
    }

    // How many of the free places the site's share allows.
    private int FreeOf(string site, int free)
    {
        var held = _sites.GetValueOrDefault(site);
        return Math.Max(1, (int)Math.Ceiling(siteShare * (held + free))) - held;
    }

    private Place Take(string? caller, string? site)
    {
        Count(caller, site, 1);
        return new Place(this, caller, site);
    }

    private void Leave(Place place)
    {
        lock (_lock)
        {
            Count(place.Caller, place.Site, -1);
            while (Next() is { } next)
            {
                _waiting.Remove(next);
                var taken = Take(next.Value.Caller, next.Value.Site);
                if (!next.Value.Turn.TrySetResult(taken))
                {
                    // The wait was cancelled at the same time.
                    Count(taken.Caller, taken.Site, -1);
                }
            }
        }
    }

    /// <summary>Of the waiters that may enter, the one whose caller holds the fewest places; of these, the one that came first.</summary>
    private LinkedListNode<Waiter>? Next()
    {
        LinkedListNode<Waiter>? best = null;
        var fewest = int.MaxValue;
        for (var node = _waiting.First; node is not null && fewest > 0 && _held < capacity; node = node.Next)
        {
            var held = _callers.GetValueOrDefault(node.Value.Caller ?? "");
            if (held < fewest && LimitOf(node.Value.Caller, node.Value.Site) == PlaceLimit.None)
            {
                (best, fewest) = (node, held);
            }
        }

        return best;
    }

    private void Count(string? caller, string? site, int change)
    {
        _held += change;
        Add(_callers, caller ?? "", change);
        Add(_sites, site ?? "", change);
        Add(_callersOfSites, (caller ?? "", site ?? ""), change);
    }

    private static void Add<TKey>(Dictionary<TKey, int> counts, TKey name, int change)
        where TKey : notnull
    {
        var count = counts.GetValueOrDefault(name) + change;
        if (count == 0)
        {
            counts.Remove(name);
        }
        else
        {
            counts[name] = count;
        }
    }

    private sealed record Waiter(string? Caller, string? Site)
    {
        public TaskCompletionSource<Place> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Place(SharedPlaces places, string? caller, string? site) : IDisposable
    {
        private int _left;

        public string? Caller => caller;

        public string? Site => site;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                places.Leave(this);
            }
        }
    }
}
