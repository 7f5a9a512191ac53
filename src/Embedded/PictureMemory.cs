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
    private readonly PictureShelf _shelf;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _collections;

    /// <param name="capacity">Most bytes, those of pictures on their way in and out included.</param>
    /// <param name="callerShare">See <see cref="PictureShares"/>.</param>
    /// <param name="time">The clock.</param>
    public PictureMemory(long capacity, double callerShare, TimeProvider time)
    {
        _time = time;
        _shelf = new PictureShelf(capacity, callerShare, time);
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
                return _shelf.Count;
            }
        }
    }

    /// <summary>Room for a picture that a caller brings. To be ended by <see cref="Add"/> or <see cref="Cancel"/> where there is some.</summary>
    /// <param name="length">Its bytes.</param>
    /// <param name="caller">Whose share it takes; empty for a caller without a name.</param>
    /// <param name="bytes">The room; <see langword="null"/> when there is none.</param>
    public PictureRoom Reserve(int length, string caller, out PictureBytes? bytes)
    {
        lock (_gate)
        {
            var room = IsClosed ? PictureRoom.Closed : _shelf.Look(caller, PictureBlocks.For(length));
            bytes = room == PictureRoom.Free ? _shelf.Take(caller, length) : null;
            return room;
        }
    }

    /// <summary>Keeps a picture, for a request that is not accepted yet, unless one is there under its key.</summary>
    public bool Add(string key, PictureBytes bytes, TimeSpan expiry, string caller)
    {
        lock (_gate)
        {
            _shelf.EndTaking(caller, bytes);
            if (_shelf.BringAgain(key, expiry, caller))
            {
                _shelf.Return(bytes);
                return false;
            }

            _shelf.Add(key, bytes, expiry, caller);
            return true;
        }
    }

    /// <summary>As <see cref="Add"/> for a picture that is there already, whose bytes are not wanted then. Says whether it is.</summary>
    public bool AddAgain(string key, TimeSpan expiry, string caller)
    {
        lock (_gate)
        {
            return _shelf.BringAgain(key, expiry, caller);
        }
    }

    /// <summary>Gives room back that <see cref="Reserve"/> gave: the picture does not come.</summary>
    public void Cancel(PictureBytes bytes, string caller)
    {
        lock (_gate)
        {
            _shelf.EndTaking(caller, bytes);
            _shelf.Return(bytes);
        }
    }

    /// <summary>Ends the use of bytes that <see cref="Read"/> gave.</summary>
    public void Leave(PictureBytes bytes)
    {
        lock (_gate)
        {
            _shelf.Return(bytes);
        }
    }

    /// <summary>A picture; <see langword="null"/> when it is not there. To be ended by <see cref="Leave"/>.</summary>
    public PictureBytes? Read(string key)
    {
        lock (_gate)
        {
            if (_shelf.Find(key) is not { } entry)
            {
                return null;
            }

            _shelf.Touch(entry);
            entry.Bytes.Use();
            return entry.Bytes;
        }
    }

    /// <summary>A request with it was accepted, or has ended already when it is empty. <see langword="false"/> when the picture is not there.</summary>
    public bool Keep(string key, TimeSpan expiry, string request)
    {
        lock (_gate)
        {
            if (_shelf.Find(key) is not { } entry)
            {
                return false;
            }

            if (request.Length > 0)
            {
                entry.NeededBy.Add(request);
            }

            _shelf.Accept(entry, expiry);
            return true;
        }
    }

    /// <summary>A request with it has ended.</summary>
    public bool Release(string key, string request)
    {
        lock (_gate)
        {
            if (_shelf.Find(key) is not { } entry || !entry.NeededBy.Remove(request))
            {
                return false;
            }

            _shelf.Sort(entry);
            return true;
        }
    }

    /// <summary>A request with it was refused.</summary>
    public bool RemoveUnaccepted(string key)
    {
        lock (_gate)
        {
            if (_shelf.Find(key) is not { } entry)
            {
                return false;
            }

            if (entry.WasAccepted)
            {
                entry.BroughtUntil = default;
                _shelf.Sort(entry);
                return false;
            }

            _shelf.Remove(entry);
            return true;
        }
    }

    /// <summary>Sets when it expires; with <paramref name="onlyLater"/> not before it would have. The picture of a known result.</summary>
    public bool Expire(string key, TimeSpan expiry, bool onlyLater)
    {
        lock (_gate)
        {
            if (_shelf.Find(key) is not { } entry || (onlyLater && _time.GetUtcNow() + expiry <= entry.Expires))
            {
                return false;
            }

            _shelf.Accept(entry, expiry);
            return true;
        }
    }

    /// <summary>Removes a picture, also one that a request needs.</summary>
    public bool Remove(string key)
    {
        lock (_gate)
        {
            if (_shelf.Find(key) is not { } entry)
            {
                return false;
            }

            _shelf.Remove(entry);
            return true;
        }
    }

    /// <summary>Its bytes and the time left to it; <see langword="null"/> when it is not there.</summary>
    public (int Length, TimeSpan Left)? Look(string key)
    {
        lock (_gate)
        {
            return _shelf.Find(key) is { } entry ? (entry.Bytes.Length, entry.Expires - _time.GetUtcNow()) : null;
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Removes what has expired, and gives memory back that was not used for a while.</summary>
    private void Clean()
    {
        bool round, trimmed;
        lock (_gate)
        {
            _shelf.RemoveExpired();
            (round, trimmed) = _shelf.Trim();
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
}
