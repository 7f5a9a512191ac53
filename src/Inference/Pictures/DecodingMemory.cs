namespace Detection.Inference.Pictures;

/// <summary>
/// The memory that decoding may take at the same time: each decode takes what it needs before it allocates and waits where that is
/// not free. First come, first served, so that pictures of medium size do not keep a large one waiting for ever. A picture that needs
/// more than the limit is decoded alone. One that needs at most a 64th of the limit neither waits nor counts: the threads that decode
/// bound what such pictures take together. Safe for concurrent use.
/// </summary>
public sealed class DecodingMemory
{
    private const long MinDefault = 256L << 20;
    private const int SmallFraction = 64;

    // The longest that a task can be waited for with a time limit.
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private long _limit;
    private long _taken;
    private long _peak;

    /// <param name="limit">Bytes that may be taken at the same time.</param>
    public DecodingMemory(long limit) => Limit = limit;

    /// <summary>What all decodes of this process share. Its limit is at first <see cref="DefaultLimit"/>.</summary>
    public static DecodingMemory OfProcess { get; } = new(DefaultLimit);

    /// <summary>A quarter of the memory that this process may use (that of its container where it has a limit), at least 256 MiB.</summary>
    public static long DefaultLimit => Math.Max(MinDefault, ProcessMemory.Available / 4);

    /// <summary>Bytes that may be taken at the same time.</summary>
    public long Limit
    {
        get => Interlocked.Read(ref _limit);
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            lock (_lock)
            {
                _limit = value;
                Grant();
            }
        }
    }

    /// <summary>Bytes that are taken now.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Most bytes that were taken at the same time.</summary>
    public long Peak => Interlocked.Read(ref _peak);

    /// <summary>Decodes that wait.</summary>
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

    /// <summary>Takes memory, and waits for it where it is not free.</summary>
    /// <param name="bytes">How much, at least 1.</param>
    /// <param name="wait">How long to wait, of any length. Zero or less: not at all.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What was taken; dispose it to give it back.</returns>
    /// <exception cref="TimeoutException">It did not become free in time; nothing was taken.</exception>
    /// <exception cref="OperationCanceledException">The waiting was cancelled; nothing was taken.</exception>
    public Share Take(long bytes, TimeSpan wait, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        if (bytes <= Limit / SmallFraction)
        {
            return new Share(this, 0);
        }

        var waiter = new Waiter(bytes);
        LinkedListNode<Waiter> place;
        lock (_lock)
        {
            place = _waiting.AddLast(waiter);
            Grant();
        }

        if (waiter.Granted.Task.IsCompleted)
        {
            return new Share(this, bytes);
        }

        try
        {
            if (waiter.Granted.Task.Wait(Bounded(wait), cancellationToken) || !TryLeave(place))
            {
                return new Share(this, bytes);
            }
        }
        catch
        {
            if (!TryLeave(place))
            {
                GiveBack(bytes);
            }

            throw;
        }

        throw new TimeoutException($"No memory to decode the picture became free in {wait.TotalSeconds:0.0} s; it needs {bytes} bytes.");
    }

    private static TimeSpan Bounded(TimeSpan wait) =>
        wait <= TimeSpan.Zero ? TimeSpan.Zero
        : wait > MaxWait ? Timeout.InfiniteTimeSpan
        : wait;

    // Whether the waiter had not been granted anything yet.
    private bool TryLeave(LinkedListNode<Waiter> place)
    {
        lock (_lock)
        {
            if (place.List is null)
            {
                return false;
            }

            _waiting.Remove(place);
            Grant();
            return true;
        }
    }

    private void GiveBack(long bytes)
    {
        lock (_lock)
        {
            _taken -= bytes;
            Grant();
        }
    }

    // Under the lock.
    private void Grant()
    {
        while (_waiting.First is { Value: var next } && (_taken == 0 || _taken + next.Bytes <= _limit))
        {
            _taken += next.Bytes;
            _peak = Math.Max(_peak, _taken);
            _waiting.RemoveFirst();
            next.Granted.SetResult();
        }
    }

    /// <summary>Memory that was taken.</summary>
    public sealed class Share : IDisposable
    {
        private readonly DecodingMemory _memory;
        private long _bytes;

        internal Share(DecodingMemory memory, long bytes)
        {
            _memory = memory;
            _bytes = bytes;
        }

        /// <summary>Gives back all but so many bytes.</summary>
        public void Shrink(long bytes)
        {
            var held = Interlocked.Read(ref _bytes);
            if (bytes < held && Interlocked.CompareExchange(ref _bytes, bytes, held) == held)
            {
                _memory.GiveBack(held - bytes);
            }
        }

        /// <summary>Gives everything back; the second time it does nothing.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _bytes, 0) is > 0 and var held)
            {
                _memory.GiveBack(held);
            }
        }
    }

    private sealed class Waiter(long bytes)
    {
        public long Bytes => bytes;

        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
