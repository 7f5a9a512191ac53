namespace Detection.Testing;

/// <summary>The last lines that a process wrote.</summary>
internal sealed class BoundedLog(int capacity)
{
    private readonly Queue<string> _lines = new(capacity);
    private readonly Lock _lock = new();
    private long _dropped;

    public void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lock)
        {
            if (_lines.Count == capacity)
            {
                _lines.Dequeue();
                _dropped++;
            }

            _lines.Enqueue(line);
        }
    }

    public string Tail(int lines)
    {
        lock (_lock)
        {
            var skipped = Math.Max(0, _lines.Count - lines);
            var hidden = _dropped + skipped;
            return (hidden > 0 ? $"… {hidden} earlier lines\n" : "") + string.Join('\n', _lines.Skip(skipped));
        }
    }
}
