using System.Collections.Concurrent;
using System.Net;

namespace Detection.Grains.Fetching;

/// <summary>Addresses of host names, kept for as long as their name server allows, and for a short time at most.</summary>
internal sealed class AddressCache(TimeProvider time)
{
    /// <summary>Longest time that an answer is kept, even if its name server allows more.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>Maximum number of names.</summary>
    public const int MaxNames = 4096;

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>The addresses of a name; <see langword="null"/> when they are not known, or have expired.</summary>
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

        // So many names within a minute: all are dropped and looked up again.
        if (_entries.Count >= MaxNames)
        {
            _entries.Clear();
        }
    }

    private sealed record Entry(IPAddress[] Addresses, DateTimeOffset End);
}
