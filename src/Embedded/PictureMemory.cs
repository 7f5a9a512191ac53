namespace Detection.Embedded;

/// <summary>
/// The pictures of an embedded cluster, within a fixed memory limit. A picture stays until it expires. When there is no room for a new one, pictures
/// that no request needs any more are evicted, the least recently used first. A picture that a request needs is never evicted: the new one is refused
/// instead. A caller has a share of the pictures that requests need, so that there is room for other callers.
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

    /// <param name="capacity">Maximum number of bytes, including pictures that are being sent or received.</param>
    /// <param name="callerShare">See <see cref="PictureShares"/>.</param>
    /// <param name="time">The clock.</param>
    public PictureMemory(long capacity, double callerShare, TimeProvider time)
    {
        _time = time;
        _shelf = new PictureShelf(capacity, callerShare, time);
        _timer = time.CreateTimer(_ => Clean(), null, Round, Round);
    }

    /// <summary>While it is set, every new picture is refused.</summary>
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

    /// <summary>Reserves room for a picture that a caller sends. If there is room, end it with <see cref="Add"/> or <see cref="Cancel"/>.</summary>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="caller">The caller whose share is used; empty for a caller without a name.</param>
    /// <param name="bytes">The reserved blocks; <see langword="null"/> when there is no room.</param>
    public PictureRoom Reserve(int length, string caller, out PictureBytes? bytes)
    {
        lock (_gate)
        {
            var room = IsClosed ? PictureRoom.Closed : _shelf.RoomFor(caller, PictureBlocks.For(length));
            bytes = room == PictureRoom.Free ? _shelf.Take(caller, length) : null;
            return room;
        }
    }

    /// <summary>Stores a picture for a request that is not accepted yet, unless there is one under its key.</summary>
    public bool Add(string key, PictureBytes bytes, TimeSpan expiry, string caller)
    {
        lock (_gate)
        {
            _shelf.EndTaking(caller, bytes);
            if (_shelf.StoreAgain(key, expiry, caller))
            {
                _shelf.Return(bytes);
                return false;
            }

            _shelf.Add(key, bytes, expiry, caller);
            return true;
        }
    }

    /// <summary>As <see cref="Add"/>, for a picture that is already stored, so that its bytes are not needed. Returns whether it is stored.</summary>
    public bool AddAgain(string key, TimeSpan expiry, string caller)
    {
        lock (_gate)
        {
            return _shelf.StoreAgain(key, expiry, caller);
        }
    }

    /// <summary>Returns the room that <see cref="Reserve"/> gave: the picture is not sent.</summary>
    public void Cancel(PictureBytes bytes, string caller)
    {
        lock (_gate)
        {
            _shelf.EndTaking(caller, bytes);
            _shelf.Return(bytes);
        }
    }

    /// <summary>Ends the use of the bytes that <see cref="Read"/> returned.</summary>
    public void Leave(PictureBytes bytes)
    {
        lock (_gate)
        {
            _shelf.Return(bytes);
        }
    }

    /// <summary>A picture; <see langword="null"/> when it is not stored. End its use with <see cref="Leave"/>.</summary>
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

    /// <summary>A request with the picture was accepted; an empty name stands for a request that has ended already. <see langword="false"/> when the picture is not stored.</summary>
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

            _shelf.UpdateSpare(entry);
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
                entry.PendingUntil = default;
                _shelf.UpdateSpare(entry);
                return false;
            }

            _shelf.Remove(entry);
            return true;
        }
    }

    /// <summary>Sets the expiry of the picture of a known result; with <paramref name="onlyLater"/> only if it is later than the current one.</summary>
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

    /// <summary>Removes a picture, even if a request needs it.</summary>
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

    /// <summary>Its length and the remaining time; <see langword="null"/> when it is not stored.</summary>
    public (int Length, TimeSpan Left)? Look(string key)
    {
        lock (_gate)
        {
            return _shelf.Find(key) is { } entry ? (entry.Bytes.Length, entry.Expires - _time.GetUtcNow()) : null;
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Removes expired pictures, and returns memory that was not used for a while.</summary>
    private void Clean()
    {
        bool round, trimmed;
        lock (_gate)
        {
            _shelf.RemoveExpired();
            (round, trimmed) = _shelf.Trim();
        }

        // An idle process would keep the memory until its next collection, which may never happen. The array pools of the runtime, whose buffers
        // carried the pictures, return them over several collections.
        _collections = trimmed ? CollectionsAfterTrim : _collections;
        if (round && _collections > 0)
        {
            _collections--;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
    }
}
