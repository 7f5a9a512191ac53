namespace Detection.Contracts.Sharing;

/// <summary>Which limit keeps a caller waiting for a place.</summary>
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
/// A number of places that callers and sites share, so that neither one caller nor one slow site holds them all. The caller that comes first
/// waits for the next place, but callers with fewer places go before those with more.
/// </summary>
/// <param name="capacity">Number of places.</param>
/// <param name="callerShare">
/// A named caller gets no further place when it holds this share of what it holds and what is free: one holds 0.5 of the places at
/// most, two a third each, and one more caller always finds a place. 1: no limit. Callers without a name have none. It holds for the
/// places of one site as well, so that no caller holds all of a site's.
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

    /// <summary>Number of those that wait.</summary>
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

    /// <summary>Callers that hold places, and how many; "" for a caller without a name.</summary>
    public IReadOnlyDictionary<string, int> HeldByCaller()
    {
        lock (_lock)
        {
            return new Dictionary<string, int>(_callers, StringComparer.Ordinal);
        }
    }

    /// <summary>Takes a place, and waits for it.</summary>
    /// <param name="caller">Whose share it takes; <see langword="null"/> for a caller without a name.</param>
    /// <param name="site">Which site's share it takes; <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The place. Dispose it to leave.</returns>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
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

    /// <summary>Takes a place if that is possible now.</summary>
    /// <returns>The place; <see langword="null"/> when a limit is reached.</returns>
    public IDisposable? TryEnter(string? caller, string? site)
    {
        lock (_lock)
        {
            return LimitOf(caller, site) == PlaceLimit.None ? Take(caller, site) : null;
        }
    }

    /// <summary>What a caller would wait for now.</summary>
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

    // As many as its share lets the site take of those that are free.
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
                    // It has left while its turn came.
                    Count(taken.Caller, taken.Site, -1);
                }
            }
        }
    }

    /// <summary>Of those that may enter, the one whose caller holds the fewest places, and of these the first that came.</summary>
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
