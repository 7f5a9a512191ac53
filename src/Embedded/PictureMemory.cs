namespace Detection.Embedded;

/// <summary>
/// The pictures of an embedded cluster, within a bound that they never exceed. A picture stays until it expires; where there is no room for
/// a new one, those go first that no request needs any more, the longest unused before the others. One that a request needs is never
/// given away: the new one is refused instead. Of what requests need a caller holds its share, so that others find room beside it.
/// </summary>
internal sealed class PictureMemory : IDisposable
{
    private const int CollectionsAfterTrim = 8;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _pictures = new(StringComparer.Ordinal);

    /// <summary>Pictures that nobody needs, the longest unused first.</summary>
    private readonly LinkedList<Entry> _spare = new();

    private readonly PictureBlocks _blocks;
    private readonly PictureShares _shares;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _spareBlocks;
    private int _collections;

    /// <param name="capacity">Most bytes, those of pictures on their way in and out included.</param>
    /// <param name="callerShare">See <see cref="PictureShares"/>.</param>
    /// <param name="time">The clock.</param>
    public PictureMemory(long capacity, double callerShare, TimeProvider time)
    {
        _time = time;
        _blocks = new PictureBlocks((int)(capacity / PictureBlocks.Size));
        _shares = new PictureShares(_blocks.Most, callerShare);
        _timer = time.CreateTimer(_ => Clean(), null, Round, Round);
    }

    /// <summary>While it is set every new picture is refused.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Number of pictures.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _pictures.Count;
            }
        }
    }

    /// <summary>Room for a picture that a caller brings. To be ended by <see cref="Add"/> or <see cref="Cancel"/> where there is some.</summary>
    /// <param name="length">Its bytes.</param>
    /// <param name="caller">Whose share it takes; empty for a caller without a name.</param>
    /// <param name="bytes">The room; <see langword="null"/> when there is none.</param>
    public PictureRoom Reserve(int length, string caller, out PictureBytes? bytes)
    {
        var count = PictureBlocks.For(length);
        lock (_gate)
        {
            var room = IsClosed ? PictureRoom.Closed : Look(caller, count);
            bytes = room == PictureRoom.Free ? new PictureBytes(_blocks.Take(count), length) : null;
            if (bytes is not null)
            {
                _shares.Add(caller, count);
            }

            return room;
        }
    }

    /// <summary>Keeps a picture, for a request that is not accepted yet, unless one is there under its key.</summary>
    public bool Add(string key, PictureBytes bytes, TimeSpan expiry, string caller)
    {
        lock (_gate)
        {
            _shares.Add(caller, -bytes.Blocks.Length);
            if (BringAgain(key, expiry, caller))
            {
                Return(bytes);
                return false;
            }

            var until = _time.GetUtcNow() + expiry;
            var entry = new Entry(key, bytes) { Expires = until, BroughtUntil = until };
            _pictures.Add(key, entry);
            Hold(entry, caller);
            return true;
        }
    }

    /// <summary>As <see cref="Add"/> for a picture that is there already, whose bytes are not wanted then. Says whether it is.</summary>
    public bool AddAgain(string key, TimeSpan expiry, string caller)
    {
        lock (_gate)
        {
            return BringAgain(key, expiry, caller);
        }
    }

    /// <summary>Gives room back that <see cref="Reserve"/> gave: the picture does not come.</summary>
    public void Cancel(PictureBytes bytes, string caller)
    {
        lock (_gate)
        {
            _shares.Add(caller, -bytes.Blocks.Length);
            Return(bytes);
        }
    }

    /// <summary>Ends the use of bytes that <see cref="Read"/> gave.</summary>
    public void Leave(PictureBytes bytes)
    {
        lock (_gate)
        {
            Return(bytes);
        }
    }

    /// <summary>A picture; <see langword="null"/> when it is not there. To be ended by <see cref="Leave"/>.</summary>
    public PictureBytes? Read(string key)
    {
        lock (_gate)
        {
            if (Find(key) is not { } entry)
            {
                return null;
            }

            if (entry.Spare is { } place)
            {
                _spare.Remove(place);
                _spare.AddLast(place);
            }

            entry.Bytes.Use();
            return entry.Bytes;
        }
    }

    /// <summary>A request with it was accepted, or has ended already when it is empty. <see langword="false"/> when the picture is not there.</summary>
    public bool Keep(string key, TimeSpan expiry, string request)
    {
        lock (_gate)
        {
            if (Find(key) is not { } entry)
            {
                return false;
            }

            if (request.Length > 0)
            {
                entry.NeededBy.Add(request);
            }

            Accept(entry, expiry);
            return true;
        }
    }

    /// <summary>A request with it has ended.</summary>
    public bool Release(string key, string request)
    {
        lock (_gate)
        {
            if (Find(key) is not { } entry || !entry.NeededBy.Remove(request))
            {
                return false;
            }

            Sort(entry);
            return true;
        }
    }

    /// <summary>A request with it was refused.</summary>
    public bool RemoveUnaccepted(string key)
    {
        lock (_gate)
        {
            if (Find(key) is not { } entry)
            {
                return false;
            }

            if (entry.WasAccepted)
            {
                entry.BroughtUntil = default;
                Sort(entry);
                return false;
            }

            Remove(entry);
            return true;
        }
    }

    /// <summary>Sets when it expires; with <paramref name="onlyLater"/> not before it would have. The picture of a known result.</summary>
    public bool Expire(string key, TimeSpan expiry, bool onlyLater)
    {
        lock (_gate)
        {
            if (Find(key) is not { } entry || (onlyLater && _time.GetUtcNow() + expiry <= entry.Expires))
            {
                return false;
            }

            Accept(entry, expiry);
            return true;
        }
    }

    /// <summary>Removes a picture, whoever needs it.</summary>
    public bool Remove(string key)
    {
        lock (_gate)
        {
            if (Find(key) is not { } entry)
            {
                return false;
            }

            Remove(entry);
            return true;
        }
    }

    /// <summary>Its bytes and the time left to it; <see langword="null"/> when it is not there.</summary>
    public (int Length, TimeSpan Left)? Look(string key)
    {
        lock (_gate)
        {
            return Find(key) is { } entry ? (entry.Bytes.Length, entry.Expires - _time.GetUtcNow()) : null;
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Blocks that are free or can be made free.</summary>
    private int Free => _blocks.Left + _spareBlocks;

    /// <summary>Removes what has expired, and gives memory back that nobody has used for a while.</summary>
    private void Clean()
    {
        bool round, trimmed;
        lock (_gate)
        {
            RemoveExpired();
            (round, trimmed) = _blocks.Trim();
        }

        // An idle process would keep it until its next collection, which may never come. The array pools of the runtime, whose buffers
        // carried the pictures, give them back over several.
        _collections = trimmed ? CollectionsAfterTrim : _collections;
        if (round && _collections > 0)
        {
            _collections--;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
    }

    /// <summary>Looks whether there is room, and makes it.</summary>
    private PictureRoom Look(string caller, int count)
    {
        var room = _shares.Look(caller, count, Free);
        if (room != PictureRoom.Free)
        {
            // All pictures are looked at: not where removing those that nobody needs is enough.
            RemoveExpired();
            room = _shares.Look(caller, count, Free);
        }

        while (room == PictureRoom.Free && count > _blocks.Left && _spare.First is { } oldest)
        {
            Remove(oldest.Value);
        }

        // What is just being sent is given back only afterwards.
        return room == PictureRoom.Free && count > _blocks.Left ? PictureRoom.Full : room;
    }

    private void RemoveExpired()
    {
        var now = _time.GetUtcNow();
        foreach (var entry in _pictures.Values)
        {
            // Removing what the enumeration stands on is allowed.
            if (entry.Expires <= now)
            {
                Remove(entry);
            }
            else
            {
                Sort(entry);
            }
        }
    }

    private Entry? Find(string key)
    {
        if (!_pictures.TryGetValue(key, out var entry))
        {
            return null;
        }

        if (entry.Expires > _time.GetUtcNow())
        {
            return entry;
        }

        Remove(entry);
        return null;
    }

    /// <summary>Keeps a picture that is there for a caller who brings it again and is about to need it.</summary>
    private bool BringAgain(string key, TimeSpan expiry, string caller)
    {
        if (Find(key) is not { } there)
        {
            return false;
        }

        var until = _time.GetUtcNow() + expiry;
        there.Expires = Later(there.Expires, until);
        there.BroughtUntil = until;
        Sort(there);
        Hold(there, caller);
        return true;
    }

    /// <summary>Counts a picture that is needed to one who has brought it.</summary>
    private void Hold(Entry entry, string caller)
    {
        if (caller.Length > 0 && entry.HeldBy.Add(caller))
        {
            _shares.Add(caller, entry.Bytes.Blocks.Length);
        }
    }

    /// <summary>Nobody needs a picture any more.</summary>
    private void LetGo(Entry entry)
    {
        foreach (var caller in entry.HeldBy)
        {
            _shares.Add(caller, -entry.Bytes.Blocks.Length);
        }

        entry.HeldBy.Clear();
    }

    private void Accept(Entry entry, TimeSpan expiry)
    {
        entry.Expires = Later(entry.Expires, _time.GetUtcNow() + expiry);
        entry.WasAccepted = true;
        entry.BroughtUntil = default;
        Sort(entry);
    }

    /// <summary>Puts a picture among those that nobody needs, or takes it from there.</summary>
    private void Sort(Entry entry)
    {
        var spare = entry.NeededBy.Count == 0 && entry.BroughtUntil <= _time.GetUtcNow();
        if (spare && entry.Spare is null)
        {
            entry.Spare = _spare.AddLast(entry);
            _spareBlocks += entry.Bytes.Blocks.Length;
            LetGo(entry);
        }
        else if (!spare && entry.Spare is { } place)
        {
            _spare.Remove(place);
            _spareBlocks -= entry.Bytes.Blocks.Length;
            entry.Spare = null;
        }
    }

    private void Remove(Entry entry)
    {
        _pictures.Remove(entry.Key);
        if (entry.Spare is { } place)
        {
            _spare.Remove(place);
            _spareBlocks -= entry.Bytes.Blocks.Length;
            entry.Spare = null;
        }

        LetGo(entry);
        Return(entry.Bytes);
    }

    private void Return(PictureBytes bytes)
    {
        if (bytes.Leave())
        {
            _blocks.Return(bytes.Blocks);
        }
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private sealed class Entry(string key, PictureBytes bytes)
    {
        public string Key => key;

        public PictureBytes Bytes => bytes;

        public DateTimeOffset Expires { get; set; }

        /// <summary>Until then somebody who has brought it may be about to be accepted.</summary>
        public DateTimeOffset BroughtUntil { get; set; }

        /// <summary>It is kept until it expires, also when another request with it is refused.</summary>
        public bool WasAccepted { get; set; }

        /// <summary>Accepted requests that have not ended.</summary>
        public HashSet<string> NeededBy { get; } = new(StringComparer.Ordinal);

        /// <summary>Callers who have brought it since nobody needed it, to whose shares it counts.</summary>
        public HashSet<string> HeldBy { get; } = new(StringComparer.Ordinal);

        /// <summary>Its place among those that nobody needs.</summary>
        public LinkedListNode<Entry>? Spare { get; set; }
    }
}
