namespace Detection.Embedded;

/// <summary>
/// The pictures of <see cref="PictureMemory"/> and their blocks: pictures that a request needs, and spare ones, which can be evicted. Not safe for
/// concurrent use.
/// </summary>
/// <param name="capacity">Maximum number of bytes, including pictures that are being sent or received.</param>
/// <param name="callerShare">See <see cref="PictureShares"/>.</param>
/// <param name="time">The clock.</param>
internal sealed class PictureShelf(long capacity, double callerShare, TimeProvider time)
{
    private readonly Dictionary<string, PictureEntry> _pictures = new(StringComparer.Ordinal);

    /// <summary>Pictures that no request needs, the least recently used first.</summary>
    private readonly LinkedList<PictureEntry> _spare = new();

    private readonly PictureBlocks _blocks = new((int)(capacity / PictureBlocks.Size));
    private readonly PictureShares _shares = new((int)(capacity / PictureBlocks.Size), callerShare);
    private int _spareBlocks;

    /// <summary>Number of pictures.</summary>
    public int Count => _pictures.Count;

    /// <summary>Blocks that are free or can be made free.</summary>
    private int Free => _blocks.Left + _spareBlocks;

    /// <summary>Takes the room that <see cref="RoomFor"/> has made.</summary>
    public PictureBytes Take(string caller, int length)
    {
        var count = PictureBlocks.For(length);
        var bytes = new PictureBytes(_blocks.Take(count), length);
        _shares.Add(caller, count);
        return bytes;
    }

    /// <summary>Room that was taken does not count to its caller any more: the picture was stored, or will not be.</summary>
    public void EndTaking(string caller, PictureBytes bytes) => _shares.Add(caller, -bytes.Blocks.Length);

    /// <summary>Adds a picture that is not stored yet.</summary>
    public void Add(string key, PictureBytes bytes, TimeSpan expiry, string caller)
    {
        var until = time.GetUtcNow() + expiry;
        var entry = new PictureEntry(key, bytes) { Expires = until, PendingUntil = until };
        _pictures.Add(key, entry);
        Hold(entry, caller);
    }

    /// <summary>A picture was used: it becomes the last of the spare ones to be evicted.</summary>
    public void Touch(PictureEntry entry)
    {
        if (entry.Spare is { } place)
        {
            _spare.Remove(place);
            _spare.AddLast(place);
        }
    }

    /// <inheritdoc cref="PictureBlocks.Trim"/>
    public (bool Round, bool Trimmed) Trim() => _blocks.Trim();

    /// <summary>Checks whether there is room, and evicts spare pictures for it.</summary>
    public PictureRoom RoomFor(string caller, int count)
    {
        var room = _shares.RoomFor(caller, count, Free);
        if (room != PictureRoom.Free)
        {
            // This visits all pictures, so it is not done where evicting spare ones is enough.
            RemoveExpired();
            room = _shares.RoomFor(caller, count, Free);
        }

        while (room == PictureRoom.Free && count > _blocks.Left && _spare.First is { } oldest)
        {
            Remove(oldest.Value);
        }

        // A picture that is being sent returns its blocks only afterwards.
        return room == PictureRoom.Free && count > _blocks.Left ? PictureRoom.Full : room;
    }

    public void RemoveExpired()
    {
        var now = time.GetUtcNow();
        foreach (var entry in _pictures.Values)
        {
            // The current entry of an enumeration may be removed.
            if (entry.Expires <= now)
            {
                Remove(entry);
            }
            else
            {
                UpdateSpare(entry);
            }
        }
    }

    /// <summary>A picture; <see langword="null"/> when it is not there, or has expired.</summary>
    public PictureEntry? Find(string key)
    {
        if (!_pictures.TryGetValue(key, out var entry))
        {
            return null;
        }

        if (entry.Expires > time.GetUtcNow())
        {
            return entry;
        }

        Remove(entry);
        return null;
    }

    /// <summary>Keeps a picture that is already stored for the request of a caller that sends it again.</summary>
    /// <returns>Whether it is stored.</returns>
    public bool StoreAgain(string key, TimeSpan expiry, string caller)
    {
        if (Find(key) is not { } there)
        {
            return false;
        }

        var until = time.GetUtcNow() + expiry;
        there.Expires = Later(there.Expires, until);
        there.PendingUntil = until;
        UpdateSpare(there);
        Hold(there, caller);
        return true;
    }

    /// <summary>Counts a needed picture to a caller that sent it.</summary>
    private void Hold(PictureEntry entry, string caller)
    {
        if (caller.Length > 0 && entry.HeldBy.Add(caller))
        {
            _shares.Add(caller, entry.Bytes.Blocks.Length);
        }
    }

    /// <summary>Counts a picture to no caller any more, because no request needs it.</summary>
    private void EndHolding(PictureEntry entry)
    {
        foreach (var caller in entry.HeldBy)
        {
            _shares.Add(caller, -entry.Bytes.Blocks.Length);
        }

        entry.HeldBy.Clear();
    }

    /// <summary>A request with a picture was accepted.</summary>
    public void Accept(PictureEntry entry, TimeSpan expiry)
    {
        entry.Expires = Later(entry.Expires, time.GetUtcNow() + expiry);
        entry.WasAccepted = true;
        entry.PendingUntil = default;
        UpdateSpare(entry);
    }

    /// <summary>Adds a picture to the spare ones, or removes it from them, depending on whether a request needs it.</summary>
    public void UpdateSpare(PictureEntry entry)
    {
        var spare = entry.NeededBy.Count == 0 && entry.PendingUntil <= time.GetUtcNow();
        if (spare && entry.Spare is null)
        {
            entry.Spare = _spare.AddLast(entry);
            _spareBlocks += entry.Bytes.Blocks.Length;
            EndHolding(entry);
        }
        else if (!spare && entry.Spare is { } place)
        {
            _spare.Remove(place);
            _spareBlocks -= entry.Bytes.Blocks.Length;
            entry.Spare = null;
        }
    }

    public void Remove(PictureEntry entry)
    {
        _pictures.Remove(entry.Key);
        if (entry.Spare is { } place)
        {
            _spare.Remove(place);
            _spareBlocks -= entry.Bytes.Blocks.Length;
            entry.Spare = null;
        }

        EndHolding(entry);
        Return(entry.Bytes);
    }

    /// <summary>Ends one use of bytes.</summary>
    public void Return(PictureBytes bytes)
    {
        if (bytes.Leave())
        {
            _blocks.Return(bytes.Blocks);
        }
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
