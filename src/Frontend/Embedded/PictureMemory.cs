namespace Detection.Frontend.Embedded;

/// <summary>
/// The pictures of an embedded cluster, within a bound that they never exceed. A picture stays until it expires; where there is no room for
/// a new one, those go first that no request needs any more, the longest unused before the others. One that a request needs is never
/// given away: the new one is refused instead.
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
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _spareBlocks;
    private int _collections;

    /// <param name="capacity">Most bytes, those of pictures on their way in and out included.</param>
    /// <param name="time">The clock.</param>
    public PictureMemory(long capacity, TimeProvider time)
    {
        _time = time;
        _blocks = new PictureBlocks((int)(capacity / PictureBlocks.Size));
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

    /// <summary>Room for a picture; <see langword="null"/> when there is none. To be ended by <see cref="Add"/> or <see cref="Leave"/>.</summary>
    public PictureBytes? Reserve(int length)
    {
        var count = PictureBlocks.For(length);
        lock (_gate)
        {
            if (IsClosed || !MakeRoom(count))
            {
                return null;
            }

            return new PictureBytes(_blocks.Take(count), length);
        }
    }

    /// <summary>Keeps a picture, for a request that is not accepted yet, unless one is there under its key.</summary>
    public bool Add(string key, PictureBytes bytes, TimeSpan expiry)
    {
        lock (_gate)
        {
            var until = _time.GetUtcNow() + expiry;
            if (Find(key) is { } there)
            {
                // Whoever brings it again is about to need it.
                there.Expires = Later(there.Expires, until);
                there.BroughtUntil = until;
                Sort(there);
                Return(bytes);
                return false;
            }

            _pictures.Add(key, new Entry(key, bytes) { Expires = until, BroughtUntil = until });
            return true;
        }
    }

    /// <summary>Ends the use of bytes that <see cref="Reserve"/> or <see cref="Read"/> gave.</summary>
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

    private bool MakeRoom(int count)
    {
        if (count > _blocks.Left)
        {
            RemoveExpired();
        }

        if (count > _blocks.Left + _spareBlocks)
        {
            return false;
        }

        while (count > _blocks.Left && _spare.First is { } oldest)
        {
            Remove(oldest.Value);
        }

        // What is just being sent is given back only afterwards.
        return count <= _blocks.Left;
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

        /// <summary>Its place among those that nobody needs.</summary>
        public LinkedListNode<Entry>? Spare { get; set; }
    }
}
