namespace Detection.Inference.Pictures;

/// <summary>
/// The memory that decoding may use at the same time: each decode reserves the memory that it needs before it allocates, and waits if that is not
/// free. The order is first in, first out, so that pictures of medium size do not keep a large one waiting for ever. A picture that needs more than
/// the limit is decoded alone. A picture that needs at most a 64th of the limit neither waits nor counts: the number of decoding threads limits
/// these. Safe for concurrent use.
/// </summary>
public sealed class DecodingMemory
{
    private const long MinDefault = 256L << 20;
    private const int SmallFraction = 64;

    // The longest time limit of a task's wait.
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private long _limit;
    private long _taken;
    private long _peak;

    /// <param name="limit">Maximum memory in use, in bytes.</param>
    public DecodingMemory(long limit) => Limit = limit;

    /// <summary>Shared by all decodes of this process. Its initial limit is <see cref="DefaultLimit"/>.</summary>
    public static DecodingMemory OfProcess { get; } = new(DefaultLimit);

    /// <summary>A quarter of the memory that this process may use (the limit of its container, if there is one), at least 256 MiB.</summary>
    public static long DefaultLimit => Math.Max(MinDefault, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>Maximum memory in use, in bytes.</summary>
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

    /// <summary>Memory in use, in bytes.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Largest memory in use so far, in bytes.</summary>
    public long Peak => Interlocked.Read(ref _peak);

    /// <summary>Number of waiting decodes.</summary>
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

    /// <summary>Reserves memory, and waits if it is not free.</summary>
    /// <param name="bytes">Number of bytes, at least 1.</param>
    /// <param name="wait">How long to wait; any length is allowed. Zero or less: not at all.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The reserved memory; dispose it to return it.</returns>
    /// <exception cref="TimeoutException">The memory did not become free in time; nothing was reserved.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled; nothing was reserved.</exception>
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

    // Whether the waiter had not been granted memory yet.
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

    /// <summary>Reserved memory.</summary>
    public sealed class Share : IDisposable
    {
        private readonly DecodingMemory _memory;
        private long _bytes;

        internal Share(DecodingMemory memory, long bytes)
        {
            _memory = memory;
            _bytes = bytes;
        }

        /// <summary>Returns all but so many bytes.</summary>
        public void Shrink(long bytes)
        {
            var held = Interlocked.Read(ref _bytes);
            if (bytes < held && Interlocked.CompareExchange(ref _bytes, bytes, held) == held)
            {
                _memory.GiveBack(held - bytes);
            }
        }

        /// <summary>Returns everything; further calls have no effect.</summary>
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
