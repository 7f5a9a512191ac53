using System.Collections.Concurrent;
using System.Net;

namespace Detection.Grains.Fetching;

/// <summary>Addresses of names, for as long as their name server says, and not for long.</summary>
internal sealed class AddressCache(TimeProvider time)
{
    /// <summary>Longest time that an answer is kept, whatever its name server says.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>Most names.</summary>
    public const int MaxNames = 4096;

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>The addresses of a name; <see langword="null"/> when they are not known (any more).</summary>
    public IPAddress[]? Find(string host) =>
        _entries.TryGetValue(host, out var entry) && time.GetUtcNow() < entry.End ? [.. entry.Addresses] : null;

    /// <summary>Keeps the addresses of a name.</summary>
    public void Keep(string host, IPAddress[] addresses, TimeSpan lifetime)
    {
        if (lifetime <= TimeSpan.Zero)
        {
            return;
        }

        if (_entries.Count >= MaxNames)
        {
            MakeRoom();
        }

        _entries[host] = new Entry([.. addresses], time.GetUtcNow() + (lifetime < Longest ? lifetime : Longest));
    }

    private void MakeRoom()
    {
        var now = time.GetUtcNow();
        foreach (var (host, entry) in _entries)
        {
            if (entry.End <= now)
            {
                _entries.TryRemove(host, out _);
            }
        }

        // So many names within a minute: all are asked for again.
        if (_entries.Count >= MaxNames)
        {
            _entries.Clear();
        }
    }

    private sealed record Entry(IPAddress[] Addresses, DateTimeOffset End);
}
